//! Questions and answers of DNS (RFC 1035, RFC 3596), by hickory's messages; no sockets.

use crate::net::resolve::not_found;
use hickory_proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use scn_runtime::Fault;
use std::net::IpAddr;
use std::str::FromStr;

/// Aliases that are followed.
const ALIASES: usize = 16;

/// A question for the addresses of one family.
#[derive(Clone, Debug)]
pub(super) struct Question {
    name: Name,
    kind: RecordType,
    id: u16,
    text: String,
}

/// What an answer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// These addresses; none if the name has others only.
    Addresses(Vec<IpAddr>),
    /// It does not fit a datagram: ask over TCP.
    Truncated,
}

impl Question {
    /// Asks for IPv6 addresses or IPv4 ones.
    pub(super) fn new(host: &str, v6: bool, id: u16) -> Result<Question, Fault> {
        crate::net::resolve::check_name(host)?;
        let mut name = Name::from_str(host).map_err(|error| {
            Fault::text(
                "dns.invalid_name",
                format!("`{host}` is no name of a host: {error}"),
            )
        })?;
        name.set_fqdn(true);
        let kind = if v6 { RecordType::AAAA } else { RecordType::A };
        Ok(Question {
            name,
            kind,
            id,
            text: host.to_owned(),
        })
    }

    /// As a message.
    pub(super) fn bytes(&self) -> Result<Vec<u8>, Fault> {
        let mut message = Message::new(self.id, MessageType::Query, OpCode::Query);
        message.metadata.recursion_desired = true;
        message.add_query(Query::query(self.name.clone(), self.kind));
        message
            .to_vec()
            .map_err(|error| protocol(format!("the question cannot be written: {error}")))
    }

    /// Reads a message; `None` when it answers something else, as late or forged ones do.
    pub(super) fn answer(&self, bytes: &[u8]) -> Option<Result<Answer, Fault>> {
        let message = match Message::from_vec(bytes) {
            Ok(message) => message,
            // What has our number and cannot be read is the server's fault; all else is not for us.
            Err(error) if bytes.get(..2) == Some(&self.id.to_be_bytes()) => {
                return Some(Err(protocol(format!("the answer cannot be read: {error}"))));
            }
            Err(_) => return None,
        };
        let head = &message.metadata;
        let asked = message.queries.first();
        let ours = head.id == self.id
            && head.message_type == MessageType::Response
            && asked
                .is_none_or(|asked| asked.name() == &self.name && asked.query_type() == self.kind);
        ours.then(|| self.read(&message))
    }

    fn read(&self, message: &Message) -> Result<Answer, Fault> {
        if message.metadata.truncation {
            return Ok(Answer::Truncated);
        }
        match message.metadata.response_code {
            ResponseCode::NoError => Ok(Answer::Addresses(self.addresses(message))),
            ResponseCode::NXDomain => Err(not_found(&self.text)),
            code => Err(Fault::text(
                "dns.server_failure",
                format!(
                    "the name server answered `{}` for `{}`",
                    code.to_str().to_lowercase(),
                    self.text
                ),
            )),
        }
    }

    /// The addresses of the name, or of what it is an alias of.
    fn addresses(&self, message: &Message) -> Vec<IpAddr> {
        let mut name = &self.name;
        for _ in 0..ALIASES {
            let of_name = message.answers.iter().filter(|record| &record.name == name);
            let found: Vec<IpAddr> = of_name
                .clone()
                .filter_map(|record| address(&record.data))
                .collect();
            if !found.is_empty() {
                return found;
            }
            let mut alias = of_name.filter_map(|record| match &record.data {
                RData::CNAME(alias) => Some(&alias.0),
                _ => None,
            });
            match alias.next_back() {
                Some(alias) => name = alias,
                None => break,
            }
        }
        Vec::new()
    }
}

fn address(data: &RData) -> Option<IpAddr> {
    match data {
        RData::A(a) => Some(a.0.into()),
        RData::AAAA(a) => Some(a.0.into()),
        _ => None,
    }
}

/// The error for what makes no sense.
pub(super) fn protocol(message: String) -> Fault {
    Fault::text("dns.protocol", message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_proto::rr::Record;
    use hickory_proto::rr::rdata::{A, CNAME};

    fn question() -> Question {
        Question::new("www.a.test", false, 7).unwrap()
    }

    fn answered(change: impl FnOnce(&mut Message)) -> Option<Result<Answer, Fault>> {
        let mut message = Message::response(7, OpCode::Query);
        change(&mut message);
        question().answer(&message.to_vec().unwrap())
    }

    fn name(text: &str) -> Name {
        Name::from_str(text).unwrap()
    }

    #[test]
    fn a_question_is_its_bytes() {
        let want = b"\x00\x07\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www\x01a\x04test\x00\x00\x01\x00\x01";
        assert_eq!(question().bytes().unwrap(), want);
        assert_eq!(
            Question::new("a b", false, 1).unwrap_err().kind(),
            "dns.invalid_name"
        );
    }

    #[test]
    fn aliases_are_followed() {
        let answer = answered(|m| {
            m.add_answer(Record::from_rdata(
                name("www.a.test."),
                1,
                RData::CNAME(CNAME(name("b.test."))),
            ));
            m.add_answer(Record::from_rdata(
                name("b.test."),
                1,
                RData::A(A("192.0.2.1".parse().unwrap())),
            ));
            m.add_answer(Record::from_rdata(
                name("c.test."),
                1,
                RData::A(A("192.0.2.9".parse().unwrap())),
            ));
        });
        assert_eq!(
            answer.unwrap().unwrap(),
            Answer::Addresses(vec!["192.0.2.1".parse().unwrap()])
        );
    }

    #[test]
    fn aliases_in_a_circle_end() {
        let answer = answered(|m| {
            m.add_answer(Record::from_rdata(
                name("www.a.test."),
                1,
                RData::CNAME(CNAME(name("www.a.test."))),
            ));
        });
        assert_eq!(answer.unwrap().unwrap(), Answer::Addresses(Vec::new()));
    }

    #[test]
    fn failures_are_told_apart() {
        let kind = |code| {
            answered(|m| m.metadata.response_code = code)
                .unwrap()
                .unwrap_err()
                .kind()
                .to_owned()
        };
        assert_eq!(kind(ResponseCode::NXDomain), "dns.not_found");
        assert_eq!(kind(ResponseCode::ServFail), "dns.server_failure");
        assert_eq!(kind(ResponseCode::Refused), "dns.server_failure");
        assert_eq!(
            answered(|m| m.metadata.truncation = true).unwrap().unwrap(),
            Answer::Truncated
        );
    }

    #[test]
    fn what_is_not_for_us_is_passed_over() {
        assert!(answered(|m| m.metadata.id = 8).is_none());
        assert!(answered(|m| m.metadata.message_type = MessageType::Query).is_none());
        assert!(
            answered(|m| {
                m.add_query(Query::query(name("b.test."), RecordType::A));
            })
            .is_none()
        );
        assert!(question().answer(b"\x00\x08junk").is_none());
        assert_eq!(
            question()
                .answer(b"\x00\x07junk")
                .unwrap()
                .unwrap_err()
                .kind(),
            "dns.protocol"
        );
    }
}
