//! Dates of cookies, read as leniently as RFC 6265 section 5.1.1 asks.

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];

/// Seconds since 1970 of a cookie's date.
pub fn cookie_date(text: &str) -> Option<i64> {
    let (mut time, mut day, mut month, mut year) = (None, None, None, None);
    let words = text
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == ':'))
        .filter(|word| !word.is_empty());
    for word in words {
        if time.is_none() && word.contains(':') {
            time = clock(word);
        } else if day.is_none() && leading_number(word, 2).is_some() {
            day = leading_number(word, 2);
        } else if month.is_none() && month_of(word).is_some() {
            month = month_of(word);
        } else if year.is_none() {
            year = leading_number(word, 4).filter(|_| word.len() >= 2);
        }
    }
    let year = match year? {
        y @ 70..=99 => y + 1900,
        y @ 0..=69 => y + 2000,
        y => y,
    };
    let (time, day, month) = (time?, day?, month?);
    if !(1..=31).contains(&day) || year < 1601 {
        return None;
    }
    Some(days_from_civil(year, month, day) * 86_400 + time)
}

/// Seconds since midnight of `hh:mm:ss`.
fn clock(word: &str) -> Option<i64> {
    let mut parts = word.split(':').map(|part| leading_number(part, 2));
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    (hour < 24 && minute < 60 && second < 60).then_some(hour * 3600 + minute * 60 + second)
}

/// A number of at most so many digits, with no digit behind it.
fn leading_number(word: &str, most: usize) -> Option<i64> {
    let digits = word.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 || digits > most {
        return None;
    }
    word[..digits].parse().ok()
}

fn month_of(word: &str) -> Option<i64> {
    let start = word.get(..3)?.to_ascii_lowercase();
    MONTHS
        .iter()
        .position(|name| *name == start)
        .map(|at| at as i64 + 1)
}

/// Days since 1970-01-01 of a date of the Gregorian calendar (Hinnant, "chrono-Compatible Low-Level Date Algorithms").
pub fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year - era * 400;
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_forms_are_read() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "06 nov 1994 08:49:37",
        ] {
            assert_eq!(cookie_date(text), Some(784_111_777), "{text}");
        }
        assert_eq!(cookie_date("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(
            cookie_date("Fri, 31 Dec 2055 23:59:59 GMT"),
            Some(2_713_910_399)
        );
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "tomorrow",
            "06 Nov 1994",
            "32 Nov 1994 08:49:37",
            "06 Nov 1994 25:00:00",
            "06 Xxx 1994 08:49:37",
        ] {
            assert_eq!(cookie_date(text), None, "{text}");
        }
    }
}
