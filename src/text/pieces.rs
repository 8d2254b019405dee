/// A vocabulary: the text of every id, one behind the other.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    text: String,
    /// Where each piece ends in `text`.
    ends: Vec<u32>,
}

impl Pieces {
    /// Pieces that are one text already; none if an end is out of order, out of the text or within a character.
    pub fn new(text: String, ends: Vec<u32>) -> Option<Self> {
        let apart = ends.is_sorted() && ends.iter().all(|&end| text.is_char_boundary(end as usize));
        (apart && ends.last().map_or(0, |&end| end as usize) == text.len()).then_some(Self { text, ends })
    }

    /// How many there are: ids are below.
    pub fn len(&self) -> u32 {
        self.ends.len() as u32
    }

    /// The piece of an id.
    pub fn get(&self, id: u32) -> Option<&str> {
        let end = *self.ends.get(id as usize)? as usize;
        let start = (id as usize).checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        self.text.get(start..end)
    }

    /// The bytes of a piece; none of an id that is not there.
    pub fn bytes(&self, id: u32) -> &[u8] {
        self.get(id).unwrap_or_default().as_bytes()
    }

    /// All of them, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).filter_map(|id| self.get(id))
    }

    /// The id of a piece. Looks through all of them.
    pub fn id(&self, piece: &str) -> Option<u32> {
        self.iter().position(|known| known == piece).map(|id| id as u32)
    }
}
