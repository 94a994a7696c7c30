//! Lowest, median and highest of samples, and ratios of samples of the same round.

/// What a table shows of samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    /// The lowest.
    pub(crate) min: f64,
    /// The middle one, or the mean of the middle two.
    pub(crate) median: f64,
    /// The highest.
    pub(crate) max: f64,
}

/// The spread of the samples that are there; none without any.
pub(crate) fn spread(samples: impl IntoIterator<Item = f64>) -> Option<Spread> {
    let mut sorted: Vec<f64> = samples
        .into_iter()
        .filter(|value| value.is_finite())
        .collect();
    sorted.sort_by(f64::total_cmp);
    let (min, max) = (*sorted.first()?, *sorted.last()?);
    let middle = sorted.len() / 2;
    let median = match sorted.len() % 2 {
        1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    };
    Some(Spread { min, median, max })
}

/// The quotients of the rounds in which both were measured. Ratios are taken round by round and not of medians, because
/// what disturbs this machine disturbs both programs of a round alike.
pub(crate) fn paired(of: &[Option<f64>], to: &[Option<f64>]) -> Option<Spread> {
    let pairs = of.iter().zip(to);
    spread(pairs.filter_map(|(of, to)| Some((*of)? / (*to)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_odd_and_even_counts() {
        let odd = spread([3.0, 1.0, 2.0]).expect("there are samples");
        assert_eq!((odd.min, odd.median, odd.max), (1.0, 2.0, 3.0));
        let even = spread([4.0, 1.0, 2.0, 3.0]).expect("there are samples");
        assert_eq!((even.min, even.median, even.max), (1.0, 2.5, 4.0));
        assert_eq!(spread([]), None);
        assert_eq!(spread([f64::NAN]), None);
    }

    #[test]
    fn ratios_are_taken_round_by_round() {
        let of = [Some(1.0), Some(4.0), None, Some(3.0)];
        let to = [Some(2.0), Some(2.0), Some(9.0), Some(3.0)];
        let ratio = paired(&of, &to).expect("three rounds are complete");
        assert_eq!((ratio.min, ratio.median, ratio.max), (0.5, 1.0, 2.0));
        assert_eq!(paired(&[None], &[Some(1.0)]), None);
    }
}
