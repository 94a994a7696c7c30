//! One plot as SVG: axes with round numbers, lines, areas, bars, marks, and the values under the pointer.
//!
//! It knows nothing about runs. Enter at [`Plot::draw`].

use super::escaped;

/// Size of the drawing and of its margins: left, right, top, bottom.
const SIZE: (f64, f64) = (560.0, 230.0);
const MARGIN: (f64, f64, f64, f64) = (64.0, 14.0, 12.0, 30.0);

/// How a series is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Line,
    Area,
    /// One upon the other.
    Bars,
}

/// Values along the x axis; those that are not numbers leave a gap.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) label: String,
    /// Names the colour.
    pub(super) class: &'static str,
    pub(super) shape: Shape,
    pub(super) values: Vec<f64>,
}

/// A scale of values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scale {
    Linear,
    /// Powers of ten; the least value that is shown is above zero.
    Log,
}

/// A vertical mark with a text.
#[derive(Debug)]
pub(super) struct Mark {
    pub(super) at: f64,
    pub(super) text: String,
}

/// A plot.
pub(super) struct Plot<'p> {
    pub(super) title: &'p str,
    /// What a reader must know to read it right.
    pub(super) note: String,
    /// Where each value begins, ascending, and where the last one ends.
    pub(super) xs: &'p [f64],
    pub(super) x_scale: Scale,
    pub(super) y_scale: Scale,
    pub(super) series: Vec<Series>,
    pub(super) marks: Vec<Mark>,
    pub(super) x_text: fn(f64) -> String,
    pub(super) x_ticks: fn(f64, f64) -> Vec<f64>,
    pub(super) y_text: fn(f64) -> String,
    /// Whether y values are whole numbers, between which no tick stands.
    pub(super) whole: bool,
}

/// Maps values to a range of the drawing.
#[derive(Clone, Copy)]
struct Axis {
    scale: Scale,
    from: f64,
    to: f64,
    start: f64,
    end: f64,
}

impl Axis {
    fn at(&self, value: f64) -> f64 {
        let place = |value: f64| match self.scale {
            Scale::Linear => value,
            Scale::Log => value.max(self.from).log10(),
        };
        let (from, to) = (place(self.from), place(self.to));
        let share = if to > from {
            (place(value) - from) / (to - from)
        } else {
            0.0
        };
        self.start + share.clamp(0.0, 1.0) * (self.end - self.start)
    }
}

impl Plot<'_> {
    /// The figure; nothing if there is nothing to see.
    pub(super) fn draw(&self) -> String {
        let seen = self.series.iter().any(|one| {
            one.values
                .iter()
                .any(|value| value.is_finite() && *value > 0.0)
        });
        let (Some(first), Some(last)) = (self.xs.first(), self.xs.last()) else {
            return String::new();
        };
        if !seen || last <= first {
            return String::new();
        }
        let x = Axis {
            scale: self.x_scale,
            from: *first,
            to: *last,
            start: MARGIN.0,
            end: SIZE.0 - MARGIN.1,
        };
        let (y, ticks) = self.y_axis();
        let mut body = self.grid(&x, &y, &ticks);
        body.push_str(&self.bars(&x, &y));
        for one in &self.series {
            body.push_str(&path(one, self.xs, &x, &y));
        }
        body.push_str(&self.marks(&x));
        body.push_str(&self.hover(&x));
        let note = if self.note.is_empty() {
            String::new()
        } else {
            format!(" <small>{}</small>", escaped(&self.note))
        };
        format!(
            "<figure>\n<figcaption><b>{}</b>{note}{}</figcaption>\n\
             <svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n{body}</svg>\n</figure>\n",
            escaped(self.title),
            self.legend(),
            SIZE.0,
            SIZE.1,
            escaped(self.title)
        )
    }

    fn legend(&self) -> String {
        if self.series.len() < 2 {
            return String::new();
        }
        let items = self.series.iter().map(|one| {
            format!(
                "<span class=\"key {}\">{}</span>",
                one.class,
                escaped(&one.label)
            )
        });
        format!(
            "<span class=\"legend\">{}</span>",
            items.collect::<Vec<_>>().join(" ")
        )
    }

    /// The greatest and least values, bars being put upon each other.
    fn range(&self) -> (f64, f64) {
        let finite = |value: &&f64| value.is_finite() && **value > 0.0;
        let values = || {
            self.series
                .iter()
                .flat_map(|one| one.values.iter().filter(finite).copied())
        };
        let stacked = (0..self.xs.len() - 1).map(|index| {
            let bars = self.series.iter().filter(|one| one.shape == Shape::Bars);
            bars.filter_map(|one| one.values.get(index)).sum::<f64>()
        });
        let most = values().chain(stacked).fold(0.0, f64::max);
        (values().fold(most, f64::min), most)
    }

    fn y_axis(&self) -> (Axis, Vec<f64>) {
        let (least, most) = self.range();
        let axis = |from: f64, to: f64| Axis {
            scale: self.y_scale,
            from,
            to,
            start: SIZE.1 - MARGIN.3,
            end: MARGIN.2,
        };
        match self.y_scale {
            Scale::Linear => {
                let step = round_step(most / 4.0, self.whole);
                let steps = (most / step - 1e-9).ceil().max(1.0);
                let ticks = (0..=steps as u32).map(|tick| f64::from(tick) * step);
                (axis(0.0, steps * step), ticks.collect())
            }
            Scale::Log => {
                let (from, to) = (
                    10f64.powf(least.log10().floor()),
                    10f64.powf(most.log10().ceil()),
                );
                (
                    axis(from, to.max(from * 10.0)),
                    decades(from, to.max(from * 10.0)),
                )
            }
        }
    }

    fn grid(&self, x: &Axis, y: &Axis, ticks: &[f64]) -> String {
        let mut out = String::new();
        for tick in ticks {
            let at = y.at(*tick);
            out.push_str(&format!(
                "<line class=\"grid\" x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>\
                 <text class=\"y\" x=\"{:.1}\" y=\"{:.1}\">{}</text>\n",
                x.start,
                x.end,
                x.start - 8.0,
                at + 4.0,
                escaped(&(self.y_text)(*tick))
            ));
        }
        for tick in (self.x_ticks)(x.from, x.to) {
            let (at, bottom) = (x.at(tick), y.start);
            // The outermost texts stay inside of the drawing.
            let anchor = if at > x.end - 16.0 {
                " class=\"x last\""
            } else {
                " class=\"x\""
            };
            out.push_str(&format!(
                "<line class=\"tick\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{bottom:.1}\" y2=\"{:.1}\"/>\
                 <text{anchor} x=\"{at:.1}\" y=\"{:.1}\">{}</text>\n",
                bottom + 5.0,
                bottom + 20.0,
                escaped(&(self.x_text)(tick))
            ));
        }
        out
    }

    fn bars(&self, x: &Axis, y: &Axis) -> String {
        let mut out = String::new();
        for (index, edges) in self.xs.windows(2).enumerate() {
            let (left, right) = (x.at(edges[0]), x.at(edges[1]));
            let gap = if right - left > 3.0 { 1.0 } else { 0.0 };
            let mut below = 0.0;
            for one in self.series.iter().filter(|one| one.shape == Shape::Bars) {
                let value = one.values.get(index).copied().unwrap_or(0.0);
                if value <= 0.0 {
                    continue;
                }
                let (bottom, top) = (y.at(below), y.at(below + value));
                below += value;
                out.push_str(&format!(
                    "<rect class=\"bar {}\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>\n",
                    one.class,
                    (right - left - gap).max(0.5),
                    (bottom - top).max(0.5)
                ));
            }
        }
        out
    }

    fn marks(&self, x: &Axis) -> String {
        let mut out = String::new();
        // Texts that would lie upon each other have different lines.
        let mut taken: Vec<(usize, f64, f64)> = Vec::new();
        for mark in &self.marks {
            let at = x.at(mark.at);
            let width = 6.8 * mark.text.chars().count() as f64 + 4.0;
            let turned = at + width > x.end;
            let (class, text_at) = match turned {
                true => ("mark left", at - 4.0),
                false => ("mark", at + 4.0),
            };
            let (from, to) = match turned {
                true => (text_at - width, text_at),
                false => (text_at, text_at + width),
            };
            let is_free = |line: &usize| {
                let on_line = taken.iter().filter(|(other, ..)| other == line);
                on_line
                    .clone()
                    .all(|(_, left, right)| to < *left || *right < from)
            };
            let line = (0..).find(is_free).unwrap_or(0);
            taken.push((line, from, to));
            out.push_str(&format!(
                "<line class=\"mark\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{:.1}\" y2=\"{:.1}\"/>\
                 <text class=\"{class}\" x=\"{text_at:.1}\" y=\"{:.1}\">{}</text>\n",
                MARGIN.2,
                SIZE.1 - MARGIN.3,
                MARGIN.2 + 10.0 + 14.0 * line as f64,
                escaped(&mark.text)
            ));
        }
        out
    }

    /// A column for each value that tells it: as a title, which the script shows at once.
    fn hover(&self, x: &Axis) -> String {
        let mut out = String::from("<g class=\"hover\">\n");
        for (index, edges) in self.xs.windows(2).enumerate() {
            let (left, right) = (x.at(edges[0]), x.at(edges[1]));
            let values = self.series.iter().filter_map(|one| {
                let value = one.values.get(index).filter(|value| value.is_finite())?;
                Some(format!("\n{}: {}", one.label, (self.y_text)(*value)))
            });
            let when = match self.x_scale {
                Scale::Linear => (self.x_text)(edges[0]),
                Scale::Log => format!("{} to {}", (self.x_text)(edges[0]), (self.x_text)(edges[1])),
            };
            let text = format!("{when}{}", values.collect::<String>());
            out.push_str(&format!(
                "<rect x=\"{left:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\"><title>{}</title></rect>\n",
                MARGIN.2,
                (right - left).max(0.5),
                SIZE.1 - MARGIN.2 - MARGIN.3,
                escaped(&text)
            ));
        }
        out.push_str("</g>\n");
        out
    }
}

/// A line or area through the middle of each value's place.
fn path(one: &Series, xs: &[f64], x: &Axis, y: &Axis) -> String {
    if one.shape == Shape::Bars {
        return String::new();
    }
    let (mut line, mut area) = (String::new(), String::new());
    let mut begun: Option<f64> = None;
    let mut last = x.start;
    for (index, edges) in xs.windows(2).enumerate() {
        let at = x.at((edges[0] + edges[1]) / 2.0);
        match one.values.get(index).filter(|value| value.is_finite()) {
            Some(value) => {
                let command = if begun.is_some() { 'L' } else { 'M' };
                line.push_str(&format!("{command}{at:.1} {:.1}", y.at(*value)));
                if begun.is_none() {
                    area.push_str(&format!("M{at:.1} {:.1}", y.start));
                }
                area.push_str(&format!("L{at:.1} {:.1}", y.at(*value)));
                begun.get_or_insert(at);
                last = at;
            }
            None if begun.take().is_some() => area.push_str(&format!("L{last:.1} {:.1}Z", y.start)),
            None => {}
        }
    }
    if begun.is_some() {
        area.push_str(&format!("L{last:.1} {:.1}Z", y.start));
    }
    let area = match one.shape {
        Shape::Area => format!("<path class=\"area {}\" d=\"{area}\"/>\n", one.class),
        _ => String::new(),
    };
    format!("{area}<path class=\"line {}\" d=\"{line}\"/>\n", one.class)
}

/// A round step: 1, 2 or 5 times a power of ten.
pub(super) fn round_step(least: f64, whole: bool) -> f64 {
    let power = 10f64.powf(least.max(1e-12).log10().floor());
    let factor = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .find(|factor| power * factor >= least * 0.999);
    let step = power * factor.unwrap_or(10.0);
    if whole { step.max(1.0) } else { step }
}

/// Powers of ten, and the twos and fives between them where there are few.
pub(super) fn decades(from: f64, to: f64) -> Vec<f64> {
    let (first, last) = (from.log10().floor() as i32, to.log10().ceil() as i32);
    let factors: &[f64] = if last - first <= 2 {
        &[1.0, 2.0, 5.0]
    } else {
        &[1.0]
    };
    let all = (first..=last)
        .flat_map(|power| factors.iter().map(move |factor| factor * 10f64.powi(power)));
    all.filter(|tick| (from * 0.999..=to * 1.001).contains(tick))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round() {
        assert_eq!(round_step(130.0, false), 200.0);
        assert_eq!(round_step(0.03, false), 0.05);
        assert_eq!(round_step(0.03, true), 1.0);
        assert_eq!(
            decades(1.0, 100.0),
            [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0]
        );
        assert_eq!(decades(1.0, 10_000.0).len(), 5);
    }

    #[test]
    fn an_axis_keeps_everything_inside() {
        let axis = Axis {
            scale: Scale::Log,
            from: 1.0,
            to: 100.0,
            start: 0.0,
            end: 10.0,
        };
        assert_eq!(
            (axis.at(0.0), axis.at(10.0), axis.at(1e9)),
            (0.0, 5.0, 10.0)
        );
    }
}
