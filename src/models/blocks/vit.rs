use super::{PatchOrder, VitConfig};
use crate::graph::{Graph, ShapeError, Source, StateKind, Value};
use crate::models::{Names, states};
use crate::ops::{Add, Linear, Patchify, Prepend, ResizeTable};

impl VitConfig {
    /// The encoder over state `image` `[B * height * width, 3]`, up to its final norm: `[B * T, D]`, each image's rows
    /// after its prefix.
    ///
    /// # Errors
    /// Numbers that no kernel can work with, or a size that the table of positions is not for.
    pub fn encode(&self, g: &mut Graph, names: &Names, images: usize, size: [usize; 2]) -> Result<Value, ShapeError> {
        self.check_size(size)?;
        let [height, width] = size;
        let image = g.state(states::IMAGE, StateKind::Input, images * height * width, 3)?;
        g.mark("embed");
        let patches = g.push("patches", Patchify { image, size, patch: self.patch })?;
        let embedded = self.embed(g, names, patches)?;
        let x = self.place(g, names, embedded, images, size)?;
        let rows = self.prefix.rows() + self.patches(size);
        self.encoder.blocks(g, names, x, (images > 1).then_some(rows))
    }

    /// Fails for a size that the table of positions is not for.
    fn check_size(&self, [height, width]: [usize; 2]) -> Result<(), ShapeError> {
        if self.patch_order == PatchOrder::Pixels || [height, width] == [self.image_size; 2] {
            return Ok(());
        }
        Err(ShapeError::Unsupported {
            node: states::IMAGE.into(),
            what: "the size of a picture",
            found: format!("{height} x {width}"),
            supported: "the square that the model's positions are for",
        })
    }

    /// A row of each patch.
    fn embed(&self, g: &mut Graph, names: &Names, patches: Value) -> Result<Value, ShapeError> {
        let (d, k, names) =
            (self.encoder.width, 3 * self.patch * self.patch, names.at("patch", self.encoder.names.patch));
        let weight = match self.patch_order {
            PatchOrder::Channels => names.matrix(g, d, k)?,
            PatchOrder::Pixels => {
                let tensor = names.theirs("weight");
                g.matrix(names.own(), d, k, Source::ChannelsFirst { tensor, channels: 3 })?
            }
        };
        let bias = names.vector(g, "bias", d)?;
        g.push(names.own(), Linear::new(patches, weight, Some(bias)))
    }

    /// Adds positions and puts the prefix in front, before or after that.
    fn place(
        &self,
        g: &mut Graph,
        names: &Names,
        embedded: Value,
        images: usize,
        size: [usize; 2],
    ) -> Result<Value, ShapeError> {
        let prefix = self.prefix(g, names)?;
        if let Some(prefix) = prefix.filter(|_| self.prefix.positions) {
            let x = g.push("prefixed", Prepend { prefix, x: Some(embedded), sequences: images })?;
            let rows = self.prefix.rows() + self.tokens();
            let position = self.position(g, names, rows)?;
            return g.push("x", Add { a: x, b: position });
        }
        let mut position = self.position(g, names, self.tokens())?;
        let to = size.map(|pixels| pixels / self.patch);
        if self.patch_order == PatchOrder::Pixels && to != [self.side(); 2] {
            position = g.push("positions", ResizeTable { table: position, from: self.side(), to })?;
        }
        let x = g.push("x", Add { a: embedded, b: position })?;
        match prefix {
            None => Ok(x),
            Some(prefix) => g.push("prefixed", Prepend { prefix, x: Some(x), sequences: images }),
        }
    }

    fn position(&self, g: &mut Graph, names: &Names, rows: usize) -> Result<Value, ShapeError> {
        let source = Source::tensor(names.theirs(self.encoder.names.position));
        g.whole(names.ours("position"), rows, self.encoder.width, source)
    }

    /// The class row and the registers, if there are any.
    fn prefix(&self, g: &mut Graph, names: &Names) -> Result<Option<Value>, ShapeError> {
        let tensors =
            [(self.prefix.class, self.encoder.names.class), (self.prefix.registers > 0, self.encoder.names.registers)];
        let there: Vec<String> =
            tensors.iter().filter(|(there, _)| *there).map(|(_, name)| names.theirs(name)).collect();
        if there.is_empty() {
            return Ok(None);
        }
        g.whole(names.ours("prefix"), self.prefix.rows(), self.encoder.width, Source::Concat(there)).map(Some)
    }
}
