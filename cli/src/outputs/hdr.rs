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
    /// When the users' part began, once the log has its head.
    begun: Option<SystemTime>,
}

impl HdrLog {
    /// Adds the lines of a second.
    pub(crate) fn second(&mut self, progress: &Progress, out: &mut impl Write) -> io::Result<()> {
        let point = &progress.point;
        if self.begun.is_none() {
            let elapsed = Duration::from_nanos(point.at + point.nanos);
            self.begin(
                SystemTime::now()
                    .checked_sub(elapsed)
                    .unwrap_or(SystemTime::UNIX_EPOCH),
                out,
            )?;
        }
        let (at, length) = (
            Duration::from_nanos(point.at),
            Duration::from_nanos(point.nanos),
        );
        for (metric, times) in progress
            .trends
            .iter()
            .filter(|(_, times)| times.count() > 0)
        {
            line(metric, times, at, length, out)?;
        }
        out.flush()
    }

    /// A run that was over before its first second has one interval.
    pub(crate) fn finish(&mut self, report: &Report, out: &mut impl Write) -> io::Result<()> {
        if self.begun.is_some() {
            return Ok(());
        }
        self.begin(report.started, out)?;
        let mut trends: BTreeMap<&str, Histogram> = BTreeMap::new();
        for series in &report.series {
            if let Value::Trend(times) = &series.value {
                trends.entry(&series.metric).or_default().merge(times);
            }
        }
        for (metric, times) in trends.iter().filter(|(_, times)| times.count() > 0) {
            line(
                metric,
                times,
                Duration::ZERO,
                Duration::from_nanos(report.nanos),
                out,
            )?;
        }
        Ok(())
    }

    fn begin(&mut self, started: SystemTime, out: &mut impl Write) -> io::Result<()> {
        self.begun = Some(started);
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
    times: &Histogram,
    at: Duration,
    length: Duration,
    out: &mut impl Write,
) -> io::Result<()> {
    let converted = convert(times)?;
    let mut serializer = V2DeflateSerializer::new();
    IntervalLogWriterBuilder::new()
        .begin_log_with(out, &mut serializer)?
        .write_histogram(&converted, at, length, Tag::new(metric))
        .map_err(|error| io::Error::other(error.to_string()))
}

fn convert(times: &Histogram) -> io::Result<hdrhistogram::Histogram<u64>> {
    let high = times.max().max(HOUR);
    let mut converted = hdrhistogram::Histogram::new_with_bounds(1, high, 2)
        .map_err(|error| io::Error::other(error.to_string()))?;
    for (value, count) in times.buckets() {
        let value = value.clamp(times.min(), times.max());
        converted
            .record_n(value, count)
            .map_err(|error| io::Error::other(error.to_string()))?;
    }
    Ok(converted)
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
