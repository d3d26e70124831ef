//! The smallest ONNX files that have the inputs and outputs of a given family of models.
//!
//! Written field by field after the ONNX protobuf schema, so that no model of anybody else is
//! needed to show that such models load.

/// A tensor's element type, by its number in the schema.
#[derive(Clone, Copy)]
pub enum Element {
    Float = 1,
    Uint8 = 2,
    Int64 = 7,
}

/// A model that takes `input` and always gives `values` of shape `output`.
pub fn constant(input: (&str, Element, &[i64]), output: (&str, &[i64]), values: &[f32]) -> Vec<u8> {
    let mut graph = Graph::new(input, output);
    graph.floats("values", output.1, values).node("Identity", &["values"], output.0, &[]);
    graph.model()
}

/// A graph being written, with one input and one output of floats.
pub struct Graph(Message);

impl Graph {
    pub fn new(input: (&str, Element, &[i64]), output: (&str, &[i64])) -> Self {
        let mut graph = Message::default();
        graph.text(2, "graph");
        graph.message(11, &value_info(input.0, input.1, input.2));
        graph.message(12, &value_info(output.0, Element::Float, output.1));
        Self(graph)
    }

    /// Names constant numbers.
    pub fn floats(&mut self, name: &str, shape: &[i64], values: &[f32]) -> &mut Self {
        let raw: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.constant(name, Element::Float, shape, &raw)
    }

    /// Names a constant list of whole numbers.
    pub fn integers(&mut self, name: &str, values: &[i64]) -> &mut Self {
        let raw: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.constant(name, Element::Int64, &[values.len() as i64], &raw)
    }

    fn constant(&mut self, name: &str, element: Element, shape: &[i64], raw: &[u8]) -> &mut Self {
        let mut tensor = Message::default();
        for d in shape {
            tensor.number(1, *d as u64);
        }
        tensor.number(2, element as u64).text(8, name).bytes(9, raw);
        self.0.message(5, &tensor);
        self
    }

    /// Adds an operation; its attributes are whole numbers.
    pub fn node(&mut self, operation: &str, inputs: &[&str], output: &str, attributes: &[(&str, i64)]) -> &mut Self {
        let mut node = Message::default();
        for input in inputs {
            node.text(1, input);
        }
        node.text(2, output).text(4, operation);
        for (name, value) in attributes {
            const INT: u64 = 2;
            let mut attribute = Message::default();
            attribute.text(1, name).number(3, *value as u64).number(20, INT);
            node.message(5, &attribute);
        }
        self.0.message(1, &node);
        self
    }

    /// The file.
    pub fn model(&self) -> Vec<u8> {
        let mut opset = Message::default();
        opset.text(1, "").number(2, 17);
        let mut model = Message::default();
        model.number(1, 8).message(7, &self.0).message(8, &opset);
        model.0
    }
}

fn value_info(name: &str, element: Element, shape: &[i64]) -> Message {
    let mut dims = Message::default();
    for d in shape {
        let mut dim = Message::default();
        if *d < 0 {
            dim.text(2, "n");
        } else {
            dim.number(1, *d as u64);
        }
        dims.message(1, &dim);
    }
    let (mut tensor, mut kind, mut info) = (Message::default(), Message::default(), Message::default());
    tensor.number(1, element as u64).message(2, &dims);
    kind.message(1, &tensor);
    info.text(1, name).message(2, &kind);
    info
}

/// A protobuf message being written.
#[derive(Default)]
pub struct Message(Vec<u8>);

impl Message {
    fn number(&mut self, field: u64, value: u64) -> &mut Self {
        self.varint(field << 3);
        self.varint(value);
        self
    }

    fn bytes(&mut self, field: u64, value: &[u8]) -> &mut Self {
        self.varint(field << 3 | 2);
        self.varint(value.len() as u64);
        self.0.extend_from_slice(value);
        self
    }

    fn text(&mut self, field: u64, value: &str) -> &mut Self {
        self.bytes(field, value.as_bytes())
    }

    fn message(&mut self, field: u64, value: &Message) -> &mut Self {
        self.bytes(field, &value.0)
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}
