//! The static memory of a component: words, constant objects, tables. `ARCHITECTURE.md` ("Components") says where what is.
//!
//! Addresses are known as soon as something is added, so that code can name them.

use crate::ir::{ConstObject, Desc, DescId, EnumInfo, Program, Scalar, SlotKind, SlotType, desc};
use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

/// Where the words are.
pub(super) const WORDS: u32 = 1024;
/// Where static data begins.
const START: u32 = WORDS + 8 * COUNT;
/// As many zeros between two parts of the data take more bytes than the head of a part.
const ZEROS: usize = 9;
/// The count of an object that is never freed or changed.
const IMMORTAL: u32 = 1 << 31;

/// How many words there are.
const COUNT: u32 = 256;

/// The words that bodies name by their addresses: these are memory, all others are globals of the module.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Addressed(BTreeSet<u32>);

impl Addressed {
    /// Notes what one `mem.words` names.
    pub(super) fn add(&mut self, first: i64, count: i64) {
        let words = first..first + count;
        assert!(
            words.start >= 0 && words.end <= i64::from(COUNT),
            "there are {COUNT} words"
        );
        self.0.extend(words.map(|word| word as u32));
    }
}

/// Which of the two programs something belongs to, whose indices are told apart so.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Side {
    /// The user's program.
    User,
    /// The bodies of the library.
    Body,
}

/// Rows of either program that something names, in the order in which it first does.
#[derive(Default)]
struct Reached {
    rows: Vec<(Side, u32)>,
    numbers: HashMap<(Side, u32), u32>,
}

impl Reached {
    fn number(&mut self, side: Side, id: u32) -> u32 {
        let next = self.rows.len() as u32;
        let number = *self.numbers.entry((side, id)).or_insert(next);
        if number == next {
            self.rows.push((side, id));
        }
        number
    }
}

/// Static memory under construction.
pub(super) struct Data {
    bytes: Vec<u8>,
    words: HashMap<u32, u64>,
    consts: HashMap<ConstObject, u32>,
    /// Descriptors that are reached, behind the fixed ones, which are the same on both sides.
    descs: Reached,
    enums: Reached,
    /// Slots of objects of extern types, by descriptor.
    extern_slots: HashMap<u32, u32>,
    addressed: Addressed,
}

impl Data {
    /// Empty memory, in which these words have places.
    pub(super) fn new(addressed: Addressed) -> Data {
        Data {
            bytes: Vec::new(),
            words: HashMap::new(),
            consts: HashMap::new(),
            descs: Reached::default(),
            enums: Reached::default(),
            extern_slots: HashMap::new(),
            addressed,
        }
    }

    /// The number of a descriptor in the component.
    pub(super) fn desc(&mut self, side: Side, id: DescId) -> u32 {
        match id.0 < desc::COUNT {
            true => id.0,
            false => desc::COUNT + self.descs.number(side, id.0),
        }
    }

    /// The number of an enum in the component.
    pub(super) fn enum_number(&mut self, side: Side, scalar: Scalar) -> Option<u32> {
        match scalar {
            Scalar::Enum(id) => Some(self.enums.number(side, id)),
            _ => None,
        }
    }

    /// Notes how many slots the objects of an extern type have.
    pub(super) fn note_slots(&mut self, desc: u32, slots: u32) {
        let before = self.extern_slots.insert(desc, slots);
        assert!(
            before.is_none_or(|before| before == slots),
            "all objects of an extern type have the same slots"
        );
    }

    /// The address of a word, if it has one.
    pub(super) fn address_of_word(&self, number: u32) -> Option<u32> {
        (self.addressed.0.contains(&number)).then_some(WORDS + 8 * number)
    }

    /// Sets a word that the module starts with.
    pub(super) fn set_word(&mut self, number: u32, value: u64) {
        debug_assert_eq!(
            self.address_of_word(number),
            None,
            "memory starts with zeros"
        );
        self.words.insert(number, value);
    }

    /// Adds bytes at a multiple of eight; their address.
    pub(super) fn add(&mut self, bytes: &[u8]) -> u32 {
        self.bytes.resize(self.bytes.len().next_multiple_of(8), 0);
        let at = START + self.bytes.len() as u32;
        self.bytes.extend_from_slice(bytes);
        at
    }

    /// Adds 32-bit words.
    pub(super) fn add_u32s(&mut self, values: &[u32]) -> u32 {
        let bytes: Vec<u8> = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        self.add(&bytes)
    }

    /// A string object.
    pub(super) fn string(&mut self, text: &str) -> u32 {
        self.object(Side::Body, &ConstObject::String(text.to_owned()))
    }

    /// A constant object; equal ones are one, as far as their descriptors are the same on both sides.
    pub(super) fn object(&mut self, side: Side, object: &ConstObject) -> u32 {
        let is_shared = matches!(object, ConstObject::String(_) | ConstObject::Bytes(_));
        if is_shared && let Some(at) = self.consts.get(object) {
            return *at;
        }
        let at = self.build(side, object);
        if is_shared {
            self.consts.insert(object.clone(), at);
        }
        at
    }

    fn build(&mut self, side: Side, object: &ConstObject) -> u32 {
        match object {
            ConstObject::Scalar(bits) => unreachable!("a scalar {bits} is only inside of others"),
            ConstObject::None => 0,
            ConstObject::String(text) => self.text(desc::STRING, text.as_bytes()),
            ConstObject::Bytes(bytes) => self.text(desc::BYTES, bytes),
            ConstObject::Regex(pattern) => {
                let text = self.string(pattern);
                self.slots(desc::REGEX.0, &[0, u64::from(text)])
            }
            ConstObject::Ip(ip) => self.address(desc::IP, *ip, 0),
            ConstObject::Addr(addr) => self.address(desc::ADDR, addr.ip(), addr.port()),
            ConstObject::Null => self.slots(desc::NULL.0, &[]),
            ConstObject::Box(id, bits) => {
                let desc = self.desc(side, *id);
                self.slots(desc, &[*bits])
            }
            ConstObject::List(id, elements) => self.list(side, *id, elements),
            ConstObject::Map(id, entries) => self.map(side, *id, entries),
            ConstObject::Slots(id, slots) => {
                let slots = self.values(side, slots);
                let desc = self.desc(side, *id);
                self.slots(desc, &slots)
            }
        }
    }

    fn values<'o>(
        &mut self,
        side: Side,
        objects: impl IntoIterator<Item = &'o ConstObject>,
    ) -> Vec<u64> {
        let value = |object| match object {
            &ConstObject::Scalar(bits) => bits,
            other => u64::from(self.object(side, other)),
        };
        objects.into_iter().map(value).collect()
    }

    fn header(desc: u32) -> Vec<u8> {
        [IMMORTAL.to_le_bytes(), desc.to_le_bytes()].concat()
    }

    fn slots(&mut self, desc: u32, slots: &[u64]) -> u32 {
        let mut bytes = Data::header(desc);
        slots
            .iter()
            .for_each(|slot| bytes.extend_from_slice(&slot.to_le_bytes()));
        self.add(&bytes)
    }

    fn text(&mut self, desc: DescId, text: &[u8]) -> u32 {
        let mut bytes = Data::header(desc.0);
        bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
        bytes.extend_from_slice(text);
        self.add(&bytes)
    }

    fn address(&mut self, desc: DescId, ip: IpAddr, port: u16) -> u32 {
        let mut bytes = Data::header(desc.0);
        let (family, octets): (u32, Vec<u8>) = match ip {
            IpAddr::V4(ip) => (4, ip.octets().to_vec()),
            IpAddr::V6(ip) => (6, ip.octets().to_vec()),
        };
        bytes.extend_from_slice(&family.to_le_bytes());
        bytes.extend_from_slice(&u32::from(port).to_le_bytes());
        bytes.extend_from_slice(&octets);
        bytes.resize(32, 0);
        self.add(&bytes)
    }

    fn list(&mut self, side: Side, id: DescId, elements: &[ConstObject]) -> u32 {
        let values = self.values(side, elements);
        let bytes: Vec<u8> = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        let buffer = self.add(&bytes);
        let count = values.len() as u32;
        let desc = self.desc(side, id);
        self.with_words(desc, &[count, count, buffer, 0])
    }

    /// A map without an index: whoever looks a key up in a constant goes by its entries.
    fn map(&mut self, side: Side, id: DescId, entries: &[(ConstObject, ConstObject)]) -> u32 {
        let flat = entries.iter().flat_map(|(key, value)| [key, value]);
        let values = self.values(side, flat);
        let bytes: Vec<u8> = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        let buffer = self.add(&bytes);
        let count = entries.len() as u32;
        let desc = self.desc(side, id);
        self.with_words(desc, &[count, count, buffer, 0, 0, 0])
    }

    fn with_words(&mut self, desc: u32, words: &[u32]) -> u32 {
        let mut bytes = Data::header(desc);
        words
            .iter()
            .for_each(|word| bytes.extend_from_slice(&word.to_le_bytes()));
        self.add(&bytes)
    }

    /// What a word starts with.
    pub(super) fn word(&self, number: u32) -> u64 {
        self.words.get(&number).copied().unwrap_or(0)
    }

    /// Writes the tables of descriptors and enums, and sets their words.
    pub(super) fn write_types(&mut self, bodies: &Program, user: &Program) {
        let mut table = Vec::new();
        for fixed in &bodies.descs[..desc::COUNT as usize] {
            table.extend(self.desc_row(Side::Body, fixed));
        }
        // A row may name others, which come behind.
        let mut at = 0;
        while let Some((side, id)) = self.descs.rows.get(at).copied() {
            let program = if side == Side::User { user } else { bodies };
            let mut row = self.desc_row(side, &program.descs[id as usize]);
            let number = desc::COUNT + at as u32;
            row[0] |= self.extern_slots.get(&number).copied().unwrap_or(0) << 16;
            table.extend_from_slice(&row);
            at += 1;
        }
        let at = self.add_u32s(&table);
        self.set_word(1, at.into());
        let mut rows = Vec::new();
        for (side, id) in std::mem::take(&mut self.enums.rows) {
            let program = if side == Side::User { user } else { bodies };
            rows.extend(self.enum_row(&program.enums[id as usize]));
        }
        let at = self.add_u32s(&rows);
        self.set_word(2, at.into());
    }

    fn enum_row(&mut self, info: &EnumInfo) -> [u32; 3] {
        let cases: Vec<u32> = info.cases.iter().map(|case| self.string(case)).collect();
        let name = self.string(&info.name);
        [name, cases.len() as u32, self.add_u32s(&cases)]
    }

    fn desc_row(&mut self, side: Side, desc: &Desc) -> [u32; 4] {
        let scalar = |scalar| SlotType {
            kind: SlotKind::Scalar(scalar),
            optional: false,
        };
        let no_name = |slots: Vec<SlotType>| -> Vec<(Option<String>, SlotType)> {
            slots.into_iter().map(|slot| (None, slot)).collect()
        };
        let (kind, slots, name) = match desc {
            Desc::String => (0, Vec::new(), None),
            Desc::Bytes => (1, Vec::new(), None),
            Desc::Ip => (2, Vec::new(), None),
            Desc::Addr => (3, Vec::new(), None),
            Desc::Regex => (4, Vec::new(), None),
            Desc::Error => (5, Vec::new(), None),
            Desc::Null => (6, Vec::new(), None),
            Desc::Missing => (7, Vec::new(), None),
            Desc::Box(inner) => (8, no_name(vec![scalar(*inner)]), None),
            Desc::List(element) => (9, no_name(vec![*element]), None),
            Desc::Map(key, value) => (10, no_name(vec![*key, *value]), None),
            Desc::Record { name, fields } => {
                let fields = fields
                    .iter()
                    .map(|(name, slot)| (Some(name.clone()), *slot));
                (11, fields.collect(), name.clone())
            }
            Desc::Tuple(slots) => (12, no_name(slots.clone()), None),
            Desc::Range(inner) => {
                let slots = vec![scalar(*inner), scalar(*inner), scalar(Scalar::Bool)];
                (13, no_name(slots), None)
            }
            Desc::Extern { name, .. } => (14, Vec::new(), Some(name.clone())),
            Desc::BigNumber => (15, Vec::new(), None),
        };
        let is_handle = matches!(
            desc,
            Desc::Extern {
                is_handle: true,
                ..
            }
        );
        let rows: Vec<u32> = slots
            .iter()
            .flat_map(|(name, slot)| self.slot_row(side, name.as_deref(), *slot))
            .collect();
        let count = slots.len() as u32;
        let name = name.map_or(0, |name| self.string(&name));
        let head = kind | u32::from(is_handle) << 8 | count << 16;
        [head, self.add_u32s(&rows), name, 0]
    }

    /// The entry of a slot of a type, without a name.
    pub(super) fn slot(&mut self, side: Side, slot: SlotType) -> u32 {
        let row = self.slot_row(side, None, slot);
        self.add_u32s(&row)
    }

    fn slot_row(&mut self, side: Side, name: Option<&str>, slot: SlotType) -> [u32; 3] {
        let (kind, scalar, more) = match slot.kind {
            SlotKind::Scalar(scalar) => {
                let (number, more) = self.scalar(side, scalar);
                (0, number, more)
            }
            SlotKind::Object(id) => (1, 0, self.desc(side, id)),
            SlotKind::Any => (2, 0, 0),
            SlotKind::Unit => (3, 0, 0),
        };
        let name = name.map_or(0, |name| self.string(name));
        let head = kind | u32::from(slot.optional) << 8 | scalar << 16;
        [head, more, name]
    }

    fn scalar(&mut self, side: Side, scalar: Scalar) -> (u32, u32) {
        match scalar {
            Scalar::Bool => (0, 0),
            Scalar::Int => (1, 0),
            Scalar::Float => (2, 0),
            Scalar::Duration => (3, 0),
            Scalar::Rate => (4, 0),
            Scalar::Enum(id) => (5, self.enums.number(side, id)),
        }
    }

    /// Notes where static data ends, which words are to hold.
    pub(super) fn end(&mut self) -> u32 {
        self.bytes.resize(self.bytes.len().next_multiple_of(16), 0);
        let end = START + self.bytes.len() as u32;
        self.set_word(0, end.into());
        end
    }

    /// The bytes with their addresses; long runs of zeros are left out, because memory begins with them.
    pub(super) fn parts(&self) -> Vec<(u32, &[u8])> {
        let mut parts = Vec::new();
        let mut start = 0;
        let mut zeros = 0;
        for (at, byte) in self.bytes.iter().chain(&[0; ZEROS]).enumerate() {
            zeros = if *byte == 0 { zeros + 1 } else { 0 };
            if zeros == ZEROS && at + 1 - zeros > start {
                parts.push((START + start as u32, &self.bytes[start..at + 1 - zeros]));
            }
            if zeros >= ZEROS {
                start = at + 1;
            }
        }
        parts
    }
}
