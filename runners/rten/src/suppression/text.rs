//! Nodes from text, written as ONNX's own textual form writes them, without types:
//! `quotient, rest = Op <axis = 2, body = name (a) => (b) { ... }> (x, , y)`.

use convwise_onnx::proto::attribute_proto::AttributeType;
use convwise_onnx::proto::{AttributeProto, GraphProto, NodeProto, ValueInfoProto};

/// What the names in a text become.
pub(super) struct Names<'a> {
    /// What the graph around the nodes calls some of them.
    pub(super) given: &'a [(&'a str, Option<&'a str>)],
    /// Put before every other value's name.
    pub(super) values: String,
    /// Put before every node's name.
    pub(super) nodes: String,
}

impl Names<'_> {
    fn value(&self, name: &str) -> String {
        let given = self.given.iter().find(|(own, _)| *own == name).and_then(|(_, given)| *given);
        match given {
            Some(given) => given.to_owned(),
            None if name.is_empty() => String::new(),
            None => format!("{}{name}", self.values),
        }
    }
}

/// The nodes that `text` lists.
///
/// # Errors
/// The sign or word that is not expected where it stands.
pub(super) fn nodes(text: &str, names: &Names<'_>) -> Result<Vec<NodeProto>, String> {
    let mut reader = Reader { signs: signs(text), names };
    let mut nodes = Vec::new();
    while reader.signs.last().is_some() {
        nodes.push(reader.node()?);
    }
    Ok(nodes)
}

/// Words and signs, the last one first. A comment goes from `#` to the end of its line.
fn signs(text: &str) -> Vec<&str> {
    let code = text.lines().map(|line| line.split('#').next().unwrap_or_default());
    let word = |sign: char| sign.is_alphanumeric() || "_.-".contains(sign);
    let mut found = Vec::new();
    for mut rest in code {
        while let Some(first) = rest.trim_start().chars().next() {
            rest = rest.trim_start();
            let length = if word(first) {
                rest.find(|sign| !word(sign)).unwrap_or(rest.len())
            } else {
                first.len_utf8()
            };
            let (sign, behind) = rest.split_at(length);
            found.push(sign);
            rest = behind;
        }
    }
    found.reverse();
    found
}

struct Reader<'a> {
    signs: Vec<&'a str>,
    names: &'a Names<'a>,
}

impl<'a> Reader<'a> {
    fn node(&mut self) -> Result<NodeProto, String> {
        let output = self.list("=")?;
        let op_type = self.word()?;
        let mut attribute = self.attributes()?;
        self.expect("(")?;
        let input = self.list(")")?;
        attribute.extend(self.attributes()?);
        let name = output.first().map(|first| format!("{}{first}", self.names.nodes));
        let named = |names: Vec<&str>| names.into_iter().map(|name| self.names.value(name)).collect();
        Ok(NodeProto {
            input: named(input),
            output: named(output),
            name,
            op_type: Some(op_type.to_owned()),
            attribute,
            ..NodeProto::default()
        })
    }

    fn attributes(&mut self) -> Result<Vec<AttributeProto>, String> {
        let mut found = Vec::new();
        if !self.next_is("<") {
            return Ok(found);
        }
        loop {
            let name = self.word()?;
            self.expect("=")?;
            found.push(AttributeProto { name: Some(name.to_owned()), ..self.setting()? });
            if self.next_is(">") {
                return Ok(found);
            }
            self.expect(",")?;
        }
    }

    fn setting(&mut self) -> Result<AttributeProto, String> {
        let of =
            |kind: AttributeType| AttributeProto { r#type: Some(kind.into()), ..AttributeProto::default() };
        if self.next_is("[") {
            let numbers = self.list("]")?.into_iter().map(|number| number.parse::<i64>());
            let ints = numbers.collect::<Result<_, _>>().map_err(|error| error.to_string())?;
            return Ok(AttributeProto { ints, ..of(AttributeType::Ints) });
        }
        let word = self.word()?;
        if let Ok(i) = word.parse() {
            Ok(AttributeProto { i: Some(i), ..of(AttributeType::Int) })
        } else if let Ok(f) = word.parse() {
            Ok(AttributeProto { f: Some(f), ..of(AttributeType::Float) })
        } else {
            Ok(AttributeProto { g: Some(self.graph(word)?), ..of(AttributeType::Graph) })
        }
    }

    /// A graph from behind its name on.
    fn graph(&mut self, name: &str) -> Result<GraphProto, String> {
        let values = |names: Vec<&str>| {
            let value = |name: &str| ValueInfoProto {
                name: Some(self.names.value(name)),
                ..ValueInfoProto::default()
            };
            names.into_iter().map(value).collect()
        };
        let input = {
            self.expect("(")?;
            self.list(")")?
        };
        for sign in ["=", ">", "("] {
            self.expect(sign)?;
        }
        let output = self.list(")")?;
        self.expect("{")?;
        let mut node = Vec::new();
        while !self.next_is("}") {
            node.push(self.node()?);
        }
        Ok(GraphProto {
            name: Some(name.to_owned()),
            node,
            input: values(input),
            output: values(output),
            ..GraphProto::default()
        })
    }

    /// Words with commas between them, each of which may be missing, up to a sign.
    fn list(&mut self, end: &str) -> Result<Vec<&'a str>, String> {
        let mut words = Vec::new();
        if self.next_is(end) {
            return Ok(words);
        }
        loop {
            let missing = self.signs.last().is_some_and(|next| [",", end].contains(next));
            words.push(if missing { "" } else { self.word()? });
            if self.next_is(end) {
                return Ok(words);
            }
            self.expect(",")?;
        }
    }

    fn word(&mut self) -> Result<&'a str, String> {
        let next = self.signs.pop().ok_or("the text ends in the middle of a node")?;
        let is_word = next.starts_with(|sign: char| sign.is_alphanumeric() || "_.-".contains(sign));
        if is_word { Ok(next) } else { Err(format!("\"{next}\" is no word")) }
    }

    fn next_is(&mut self, sign: &str) -> bool {
        self.signs.pop_if(|next| *next == sign).is_some()
    }

    fn expect(&mut self, sign: &str) -> Result<(), String> {
        if self.next_is(sign) {
            return Ok(());
        }
        Err(format!("\"{sign}\" is expected before \"{}\"", self.signs.last().unwrap_or(&"the end")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names<'static> {
        Names { given: &[], values: "v:".to_owned(), nodes: "n/".to_owned() }
    }

    #[test]
    fn a_text_becomes_nodes() {
        let text = "a, b = Split <axis = 2> (x) # halves\n\
                    c = Loop (t, , a) <body = turn (i, go) => (go, z) { z = Constant <value_float = -inf> () }>\n\
                    d = Sum <axes = [0, -1], x = 0.5> ()";
        let nodes = nodes(text, &names()).unwrap();
        let [split, repeated, sum] = &nodes[..] else { panic!("{nodes:?}") };
        assert_eq!((split.name(), split.op_type()), ("n/a", "Split"));
        assert_eq!(
            (&split.output[..], &split.input[..]),
            (&["v:a".to_owned(), "v:b".to_owned()][..], &["v:x".to_owned()][..])
        );
        assert_eq!(split.attribute[0].i, Some(2));
        assert_eq!(repeated.input, ["v:t", "", "v:a"]);
        let body = repeated.attribute[0].g.as_ref().unwrap();
        assert_eq!(body.node[0].attribute[0].f, Some(f32::NEG_INFINITY));
        assert_eq!((body.input.len(), body.output[1].name()), (2, "v:z"));
        assert_eq!((&sum.attribute[0].ints[..], sum.attribute[1].f), (&[0, -1][..], Some(0.5)));
    }

    #[test]
    fn what_is_no_node_is_said() {
        let check = |text: &str, why: &str| assert_eq!(nodes(text, &names()).unwrap_err(), why, "{text}");
        check("a = Relu", "\"(\" is expected before \"the end\"");
        check("a = (x)", "\"(\" is no word");
        check("a = Relu (x", "\",\" is expected before \"the end\"");
    }
}
