//! eBPF instructions, and labels to jump to.

/// One instruction as the kernel reads it (`struct bpf_insn`).
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Instruction {
    code: u8,
    /// Destination in the low four bits, source in the high ones.
    registers: u8,
    offset: i16,
    immediate: i32,
}

const _: () = assert!(size_of::<Instruction>() == 8);

/// A register of the eBPF machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Register(pub(crate) u8);

/// How much a load takes, as the instruction's code.
#[derive(Clone, Copy)]
pub(crate) enum Load {
    Byte = 0x71,
    Half = 0x69,
    Word = 0x61,
}

/// A place in the program, known before it is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Label(usize);

/// Collects instructions; jumps find their labels in [`Assembler::finish`].
#[derive(Default)]
pub(crate) struct Assembler {
    instructions: Vec<Instruction>,
    /// Where each label stands, once it is placed.
    places: Vec<Option<usize>>,
    jumps: Vec<(usize, Label)>,
}

impl Assembler {
    pub(crate) fn label(&mut self) -> Label {
        self.places.push(None);
        Label(self.places.len() - 1)
    }

    /// The label names the next instruction.
    pub(crate) fn place(&mut self, label: Label) {
        let place = &mut self.places[label.0];
        assert!(place.is_none(), "a label has one place");
        *place = Some(self.instructions.len());
    }

    fn emit(&mut self, code: u8, to: Register, from: Register, offset: i16, immediate: i32) {
        self.instructions.push(Instruction {
            code,
            registers: to.0 | from.0 << 4,
            offset,
            immediate,
        });
    }

    /// `to = *(from + offset)`, without sign.
    pub(crate) fn load(&mut self, size: Load, to: Register, from: Register, offset: i16) {
        self.emit(size as u8, to, from, offset, 0);
    }

    pub(crate) fn copy(&mut self, to: Register, from: Register) {
        self.emit(0xbf, to, from, 0, 0);
    }

    pub(crate) fn set(&mut self, to: Register, value: i32) {
        self.emit(0xb7, to, Register(0), 0, value);
    }

    pub(crate) fn add(&mut self, to: Register, value: i32) {
        self.emit(0x07, to, Register(0), 0, value);
    }

    pub(crate) fn add_register(&mut self, to: Register, from: Register) {
        self.emit(0x0f, to, from, 0, 0);
    }

    pub(crate) fn and(&mut self, to: Register, value: i32) {
        self.emit(0x57, to, Register(0), 0, value);
    }

    pub(crate) fn shift_left(&mut self, to: Register, bits: i32) {
        self.emit(0x67, to, Register(0), 0, bits);
    }

    fn jump_by(&mut self, code: u8, left: Register, right: Register, value: i32, to: Label) {
        self.jumps.push((self.instructions.len(), to));
        self.emit(code, left, right, 0, value);
    }

    pub(crate) fn jump(&mut self, to: Label) {
        self.jump_by(0x05, Register(0), Register(0), 0, to);
    }

    /// Compares 32 bits: a 64-bit comparison would extend the value's sign.
    pub(crate) fn jump_if_equal(&mut self, left: Register, value: u32, to: Label) {
        self.jump_by(0x16, left, Register(0), value.cast_signed(), to);
    }

    pub(crate) fn jump_if_not_equal(&mut self, left: Register, value: u32, to: Label) {
        self.jump_by(0x56, left, Register(0), value.cast_signed(), to);
    }

    /// Without sign.
    pub(crate) fn jump_if_below(&mut self, left: Register, value: i32, to: Label) {
        self.jump_by(0xa5, left, Register(0), value, to);
    }

    /// Without sign; the only comparison that shows the verifier where a frame ends.
    pub(crate) fn jump_if_above(&mut self, left: Register, right: Register, to: Label) {
        self.jump_by(0x2d, left, right, 0, to);
    }

    /// `to` = the map with this descriptor.
    pub(crate) fn set_map(&mut self, to: Register, descriptor: i32) {
        const MAP_BY_DESCRIPTOR: Register = Register(1);
        self.emit(0x18, to, MAP_BY_DESCRIPTOR, 0, descriptor);
        self.emit(0, Register(0), Register(0), 0, 0);
    }

    pub(crate) fn call(&mut self, helper: i32) {
        self.emit(0x85, Register(0), Register(0), 0, helper);
    }

    pub(crate) fn exit(&mut self) {
        self.emit(0x95, Register(0), Register(0), 0, 0);
    }

    /// The program, with every jump resolved.
    pub(crate) fn finish(mut self) -> Vec<Instruction> {
        for (at, label) in self.jumps {
            let target = self.places[label.0].expect("a label that is jumped to has a place");
            let distance = i16::try_from(target as isize - at as isize - 1);
            self.instructions[at].offset = distance.expect("a short program");
        }
        self.instructions
    }
}
