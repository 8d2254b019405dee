use super::unusable;
use crate::text::TextError;
use crate::text::pieces::Pieces;

/// What is left to be read.
pub(super) struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], TextError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or_else(|| unusable("it ends too early"))?;
        self.0 = rest;
        Ok(taken)
    }

    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], TextError> {
        let (taken, rest) = self.0.split_first_chunk().ok_or_else(|| unusable("it ends too early"))?;
        self.0 = rest;
        Ok(*taken)
    }

    pub fn number(&mut self) -> Result<u32, TextError> {
        let mut number = 0;
        for shift in (0..u32::BITS).step_by(7) {
            let [byte] = self.array()?;
            number |= u32::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(unusable("it has a number of more than 32 bits"))
    }

    /// A number of either sign, zigzag.
    pub fn signed(&mut self) -> Result<i32, TextError> {
        let number = self.number()?;
        Ok((number >> 1) as i32 ^ -((number & 1) as i32))
    }

    /// A count of things that take a byte each at least: the file's length bounds what is allocated for them.
    pub fn count(&mut self) -> Result<usize, TextError> {
        let count = self.number()? as usize;
        if count > self.0.len() { Err(unusable("it has more parts than bytes")) } else { Ok(count) }
    }

    /// A text behind its length.
    pub fn text(&mut self) -> Result<String, TextError> {
        let length = self.number()? as usize;
        self.text_of(length)
    }

    /// Bytes behind their count.
    pub fn bytes(&mut self) -> Result<&'a [u8], TextError> {
        let count = self.number()? as usize;
        self.take(count)
    }

    pub fn letter(&mut self) -> Result<char, TextError> {
        char::from_u32(self.number()?).ok_or_else(|| unusable("one of its letters is none"))
    }

    /// The lengths of all pieces, and then all of them.
    pub fn pieces(&mut self) -> Result<Pieces, TextError> {
        let count = self.count()?;
        let mut ends = Vec::with_capacity(count);
        let mut end = 0_u32;
        for _ in 0..count {
            end = end.saturating_add(self.number()?);
            ends.push(end);
        }
        let text = self.text_of(end as usize)?;
        Pieces::new(text, ends).ok_or_else(|| unusable("one of its pieces ends within a character"))
    }

    fn text_of(&mut self, length: usize) -> Result<String, TextError> {
        String::from_utf8(self.take(length)?.to_vec()).map_err(|_| unusable("one of its texts is not UTF-8"))
    }
}
