//! `--out hdr=`: an interval log of HdrHistogram, one line for each second and trend metric, the metric being the tag.
//!
//! Written while the run goes on. The layout of the runtime's histograms is HdrHistogram's with two digits, so nothing
//! is lost. Values are nanoseconds. Enter at [`HdrLog::second`].

use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};
use scn_runtime::metrics::Histogram;
use scn_runtime::report::{Progress, Report, Value};
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::{Duration, SystemTime};

/// The greatest value that every interval can hold: all lines then have the same range. Longer times widen their own.
const HOUR: u64 = 3_600_000_000_000;

/// A log that is being written.
#[derive(Debug, Default)]
pub(crate) struct HdrLog {
    /// Whether the log has its head.
    is_begun: bool,
    /// What was written, by metric.
    written: BTreeMap<String, hdrhistogram::Histogram<u64>>,
    /// Where the last interval ended, from the start of the users' part.
    end: u64,
}

impl HdrLog {
    /// Adds the lines of a second.
    pub(crate) fn second(&mut self, progress: &Progress, out: &mut impl Write) -> io::Result<()> {
        let point = &progress.point;
        self.end = point.at + point.nanos;
        if !self.is_begun {
            let started = SystemTime::now().checked_sub(Duration::from_nanos(self.end));
            self.begin(started.unwrap_or(SystemTime::UNIX_EPOCH), out)?;
        }
        for (metric, times) in progress
            .trends
            .iter()
            .filter(|(_, times)| times.count() > 0)
        {
            let converted = convert(times)?;
            line(metric, &converted, point.at, point.nanos, out)?;
            match self.written.get_mut(metric) {
                Some(sum) => sum.add(&converted).map_err(broken)?,
                None => drop(self.written.insert(metric.clone(), converted)),
            }
        }
        out.flush()
    }

    /// Adds what came after the last second: all of a run that was over before its first one.
    pub(crate) fn finish(&mut self, report: &Report, out: &mut impl Write) -> io::Result<()> {
        if !self.is_begun {
            self.begin(report.started, out)?;
        }
        let mut trends: BTreeMap<&str, Histogram> = BTreeMap::new();
        for series in &report.series {
            if let Value::Trend(times) = &series.value {
                trends.entry(&series.metric).or_default().merge(times);
            }
        }
        let length = report.nanos.saturating_sub(self.end);
        for (metric, times) in trends {
            let mut rest = convert(&times)?;
            if let Some(written) = self.written.get(metric) {
                rest.subtract(written).map_err(broken)?;
            }
            if !rest.is_empty() {
                line(metric, &rest, self.end, length, out)?;
            }
        }
        Ok(())
    }

    fn begin(&mut self, started: SystemTime, out: &mut impl Write) -> io::Result<()> {
        self.is_begun = true;
        let since = started
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let seconds = since.as_secs_f64();
        writeln!(
            out,
            "#[Written by scn {}; values are nanoseconds]",
            env!("CARGO_PKG_VERSION")
        )?;
        writeln!(out, "#[Histogram log format version 1.3]")?;
        writeln!(out, "#[StartTime: {seconds:.3} (seconds since epoch)]")?;
        writeln!(out, "#[BaseTime: {seconds:.3} (seconds since epoch)]")?;
        writeln!(
            out,
            "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\""
        )
    }
}

fn line(
    metric: &str,
    times: &hdrhistogram::Histogram<u64>,
    at: u64,
    nanos: u64,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut serializer = V2DeflateSerializer::new();
    let (at, length) = (Duration::from_nanos(at), Duration::from_nanos(nanos));
    IntervalLogWriterBuilder::new()
        .begin_log_with(out, &mut serializer)?
        .write_histogram(times, at, length, Tag::new(metric))
        .map_err(broken)
}

fn convert(times: &Histogram) -> io::Result<hdrhistogram::Histogram<u64>> {
    let mut converted = hdrhistogram::Histogram::new_with_bounds(1, HOUR, 2).map_err(broken)?;
    converted.auto(true);
    for (value, count) in times.buckets() {
        let value = value.clamp(times.min(), times.max());
        converted.record_n(value, count).map_err(broken)?;
    }
    Ok(converted)
}

fn broken(error: impl std::fmt::Display) -> io::Error {
    io::Error::other(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;
    use hdrhistogram::serialization::Deserializer;
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

    /// Tag, start and length in seconds, and histogram of each interval.
    fn read(text: &[u8]) -> Vec<(String, f64, f64, hdrhistogram::Histogram<u64>)> {
        let mut deserializer = Deserializer::new();
        let entries =
            IntervalLogIterator::new(text).map(|entry| entry.expect("the log is well-formed"));
        let mut found = Vec::new();
        for entry in entries {
            if let LogEntry::Interval(interval) = entry {
                let encoded = interval.encoded_histogram();
                let bytes = base64_decode(encoded);
                found.push((
                    interval
                        .tag()
                        .expect("each line has a tag")
                        .as_str()
                        .to_owned(),
                    interval.start_timestamp().as_secs_f64(),
                    interval.duration().as_secs_f64(),
                    deserializer
                        .deserialize(&mut bytes.as_slice())
                        .expect("the histogram is well-formed"),
                ));
            }
        }
        found
    }

    fn base64_decode(text: &str) -> Vec<u8> {
        const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let digits = text
            .bytes()
            .filter_map(|byte| ALPHABET.iter().position(|known| *known == byte));
        let (mut out, mut bits, mut held) = (Vec::new(), 0u32, 0);
        for digit in digits {
            bits = bits << 6 | digit as u32;
            held += 6;
            if held >= 8 {
                held -= 8;
                out.push((bits >> held) as u8);
                bits &= (1 << held) - 1;
            }
        }
        out
    }

    #[test]
    fn seconds_come_back_as_they_were() {
        let (mut log, mut text) = (HdrLog::default(), Vec::new());
        for second in 40..43 {
            log.second(&sample::progress(second), &mut text)
                .expect("memory takes everything");
        }
        let found = read(&text);
        assert_eq!(found.len(), 3);
        for (index, (tag, start, length, histogram)) in found.iter().enumerate() {
            let progress = sample::progress(40 + index as u64);
            let times = &progress.trends[0].1;
            assert_eq!(
                (tag.as_str(), *start, *length),
                ("http.duration", 40.0 + index as f64, 1.0)
            );
            assert_eq!(histogram.len(), times.count());
            for percent in [50.0, 99.0] {
                let (there, here) = (
                    histogram.value_at_percentile(percent),
                    times.percentile(percent),
                );
                assert!(
                    there.abs_diff(here) <= here / 100,
                    "p{percent}: {there} and {here}"
                );
            }
        }
    }

    #[test]
    fn what_came_after_the_last_second_is_the_last_interval() {
        let (mut log, mut text) = (HdrLog::default(), Vec::new());
        let second = sample::progress(0);
        log.second(&second, &mut text)
            .expect("memory takes everything");
        let mut report = sample::small().report;
        report.nanos = 1_250_000_000;
        let mut all = second.trends[0].1.clone();
        (0..7).for_each(|_| all.record(5_000_000_000_000));
        report
            .series
            .retain(|series| series.metric == "http.duration");
        report.series[0].value = Value::Trend(all);
        log.finish(&report, &mut text)
            .expect("memory takes everything");
        let found = read(&text);
        assert_eq!(found.len(), 2);
        let (_, start, length, rest) = &found[1];
        assert_eq!((*start, *length, rest.len()), (1.0, 0.25, 7));
    }

    #[test]
    fn a_run_of_less_than_a_second_has_one_interval() {
        let (mut log, mut text) = (HdrLog::default(), Vec::new());
        let report = sample::small().report;
        log.finish(&report, &mut text)
            .expect("memory takes everything");
        let found = read(&text);
        let tags: Vec<&str> = found.iter().map(|(tag, ..)| tag.as_str()).collect();
        assert_eq!(tags, ["http.duration", "http.service"]);
        assert!(found.iter().all(|(.., histogram)| histogram.len() == 1));
    }
}
