//! Which picture goes with a reply. Pure.

use shared_types::Picture;

use super::offer::{PAGE, StockTalk};
use super::piece::{Piece, Said};
use crate::stock::is_public;

/// Of so many things it is known that their picture was sent.
const KNOWN: usize = 20;

/// The picture of the first thing that is offered or chosen, once in a conversation; of one whose pictures
/// are asked for, whenever they are.
#[must_use]
pub fn picture_of(said: &Said, talk: &mut StockTalk) -> Option<Picture> {
    let meant = said.pieces().find_map(|piece| match piece {
        Piece::Record(name, lines) if name == PAGE => Some((lines.first()?, true)),
        Piece::Stock(listing) => Some((listing.lines.first()?, false)),
        Piece::Picked(line) | Piece::Arrived(line) => Some((&**line, false)),
        _ => None,
    });
    let (line, is_asked) = meant?;
    let item = &line.item;
    // A help desk or gateway inside our network fetches it.
    let url = item.images.iter().find(|url| is_public(url))?;
    let name = format!("{}:{}", item.source, item.id);
    let is_known = talk.pictured.contains(&name);
    if is_known && !is_asked {
        return None;
    }
    if !is_known {
        talk.pictured.push(name);
        let many = talk.pictured.len().saturating_sub(KNOWN);
        talk.pictured.drain(..many);
    }
    Some(Picture {
        url: url.to_string(),
        caption: item.title.to_string(),
    })
}
