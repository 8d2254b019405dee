//! `ocelli convert` and `ocelli verify`: packs.

use ocelli::base::Result;
use ocelli::tasks::{ConvertOptions, convert as write_pack, open, verify as check};

use super::args::{ConvertArgs, PresetArg, VerifyArgs};
use super::progress::WorkBar;
use super::{interrupt, json};

pub fn convert(args: &ConvertArgs) -> Result<()> {
    let cancel = interrupt::token()?;
    let options = ConvertOptions {
        dtype: args.dtype.dtype(),
        shard_bytes: args.shard_mib,
        keep_f16: args.keep_f16.clone(),
        preset: args.preset.map(PresetArg::preset),
    };
    let mut source = open(&args.source)?;
    if let Some(tokenizer) = &args.tokenizer {
        source.add("tokenizer.json", tokenizer)?;
    }
    let bar = WorkBar::new("converting", args.json);
    let done = write_pack(&source, &args.folder, &options, &mut |progress| {
        bar.show(progress);
        Ok(cancel.check()?)
    });
    bar.finish();
    let done = done?;
    if args.json {
        json::print(&done)?
    } else {
        let kept = if done.kept > 0 { format!(", {} shards of them there already", done.kept) } else { String::new() };
        let preset = done.preset.map(|name| format!("no config.json; taken for {name}\n")).unwrap_or_default();
        json::text(&format!(
            "{preset}{} files, {:.1} MB{kept}: {}\n",
            done.files,
            done.bytes as f64 / 1e6,
            args.folder.display()
        ))?
    }
    Ok(())
}

pub fn verify(args: &VerifyArgs) -> Result<()> {
    let cancel = interrupt::token()?;
    let bar = WorkBar::new("checking", args.json);
    let found = check(&open(&args.pack)?, &mut |progress| {
        bar.show(progress);
        Ok(cancel.check()?)
    });
    bar.finish();
    let found = found?;
    if args.json {
        json::print(&found)?
    } else {
        json::text(&format!("{} files, {:.1} MB: all as the manifest says\n", found.files, found.bytes as f64 / 1e6))?
    }
    Ok(())
}
