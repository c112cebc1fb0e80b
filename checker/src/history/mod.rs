//! Histories: what the clients of a system asked, what they were told, and when.
//!
//! Owns the operations and their text, and nothing of their meaning: a history does not know which model it will be held
//! against. Reading and writing files is in [`jsonl`], [`edn`] and [`jepsen`]; [`History::read`] tells them apart.

mod clock;
mod disturbance;
pub mod edn;
mod error;
mod format;
mod import;
mod independent;
mod interned;
pub mod jepsen;
pub mod jsonl;
mod nearest;
mod objects;
mod op;
mod operation;
mod record;
mod stream;
mod value;

#[cfg(test)]
mod tests;

pub use clock::Clock;
pub use disturbance::{DISTURBANCES_MAX, Disturbance};
pub use error::{HistoryError, Place};
pub use format::Format;
pub use import::Import;
pub use independent::Keys;
pub use interned::{ListId, TextId};
pub use op::{OPERATIONS, Op, OpInfo, Output};
pub use operation::{Operation, OperationId};
pub use value::{Atom, LIST_DEPTH_MAX, List, NotAValue, OwnedValue, SHOWN_CHARS_MAX, SHOWN_ITEMS_MAX, Value};

use interned::Interned;
use record::{KeyTable, Record, Run};

/// Most operations in one history: what a 32-bit [`OperationId`] can name, less one.
pub const OPERATIONS_MAX: usize = u32::MAX as usize - 1;

/// The operations of a run, in the order in which they were added.
///
/// Times are unsigned integers on one clock that all clients share (virtual nanoseconds, or a counter of events): an
/// operation that returned at a *smaller* time than another was called precedes it; otherwise, equal times included, the two
/// are concurrent. Finer times therefore make a sharper check and never a wrong one.
///
/// An operation that is never completed has an *unknown outcome*: it may take effect at any moment after its call, or never.
///
/// ```
/// use checker::history::{History, Op, Output};
///
/// let mut history = History::new();
/// let write = history.invoke(1, 10, Op::write("x", "a"));
/// let lost = history.invoke(2, 12, Op::append("x", "b"));
/// history.complete(write, 20, Output::Ok);
/// let read = history.invoke(1, 21, Op::read("x"));
/// history.complete(read, 25, Output::value("ab"));
/// assert_eq!(history.operations().len(), 3);
/// assert!(history.operation(lost).returned.is_none());
/// ```
#[derive(Clone, Debug)]
pub struct History {
    records: Vec<Record>,
    keys: KeyTable,
    /// Values of answers that found no room in their records.
    elsewhere: Vec<Atom>,
    /// The least and the greatest integer among the arguments.
    integers: Option<(i64, i64)>,
    values: Interned,
    disturbances: Vec<Disturbance>,
    import: Import,
    clock: Clock,
}

impl Default for History {
    fn default() -> Self {
        Self::new()
    }
}

impl History {
    /// An empty history.
    pub fn new() -> Self {
        History {
            records: Vec::new(),
            keys: KeyTable::default(),
            elsewhere: Vec::new(),
            integers: None,
            values: Interned::new(),
            disturbances: Vec::new(),
            import: Import::default(),
            clock: Clock::default(),
        }
    }

    /// Records that `client` called `op` at `time`; its outcome is unknown until [`complete`](Self::complete).
    ///
    /// # Panics
    ///
    /// When the history exceeds [`OPERATIONS_MAX`] operations or 4 GiB of distinct text.
    pub fn invoke(&mut self, client: u32, time: u64, op: Op<Value<'_>>) -> OperationId {
        self.try_invoke(client, time, op)
            .expect("a history holds at most 2^32 - 2 operations and 4 GiB of text")
    }

    /// Records the response to `id`.
    ///
    /// # Panics
    ///
    /// When `id` is of another history, is complete already, or returns before its call; or when the history exceeds 4 GiB
    /// of distinct text.
    pub fn complete(&mut self, id: OperationId, time: u64, output: Output<Value<'_>>) {
        self.try_complete(id, time, output)
            .expect("a history holds at most 4 GiB of text");
    }

    /// As [`invoke`](Self::invoke); `None` when the history is full.
    fn try_invoke(&mut self, client: u32, time: u64, op: Op<Value<'_>>) -> Option<OperationId> {
        let id = OperationId::new(self.records.len())?;
        let op = self.intern_op(op)?;
        let key = self.keys.place(op.key());
        for argument in op.arguments() {
            if let Atom::Integer(integer) = argument {
                let (least, greatest) = self.integers.unwrap_or((integer, integer));
                self.integers = Some((least.min(integer), greatest.max(integer)));
            }
        }
        self.records.push(Record::new(client, time, key, op));
        Some(id)
    }

    /// As [`complete`](Self::complete); `None` when the history is full.
    fn try_complete(&mut self, id: OperationId, time: u64, output: Output<Value<'_>>) -> Option<()> {
        let output = self.intern_output(output)?;
        let record = &mut self.records[id.index()];
        assert!(
            record.returned().is_none(),
            "an operation completes once; {id} did already"
        );
        assert!(
            time >= record.call,
            "{id} returns at {time}, before its call at {}",
            record.call
        );
        record.complete(time, output, &mut self.elsewhere);
        Some(())
    }

    /// `op` with its values stored; `None` when there is no room for them.
    pub(crate) fn intern_op(&mut self, op: Op<Value<'_>>) -> Option<Op<Atom>> {
        op.try_map(|value| self.values.intern(value))
    }

    /// `output` with its value stored; `None` when there is no room for it.
    pub(crate) fn intern_output(&mut self, output: Output<Value<'_>>) -> Option<Output<Atom>> {
        output.try_map(|value| self.values.intern(value))
    }

    /// Moves the call of `id` to up to `by` earlier.
    pub(crate) fn call_earlier(&mut self, id: OperationId, by: u64) {
        let call = &mut self.records[id.index()].call;
        *call = call.saturating_sub(by);
    }

    /// Keeps the operations that `keep`, one flag for each; the others get their identifiers.
    fn retain(&mut self, keep: &[bool]) {
        assert_eq!(keep.len(), self.records.len(), "one flag for each operation");
        let mut flags = keep.iter();
        self.records
            .retain(|_| *flags.next().expect("as many flags as operations"));
    }

    /// What was done to the system meanwhile, in the order in which it began: nothing, but where a Jepsen file tells.
    pub fn disturbances(&self) -> &[Disturbance] {
        &self.disturbances
    }

    /// What the times count; [`Clock::Counter`] unless somebody has said otherwise.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// Says what the times count. It changes how they are shown and nothing else.
    pub fn set_clock(&mut self, clock: Clock) {
        self.clock = clock;
    }

    /// The latest call or return; 0 in an empty history.
    pub fn latest(&self) -> u64 {
        self.events().max().unwrap_or(0)
    }

    /// What the file that this was read from has beside the operations.
    pub fn import(&self) -> &Import {
        &self.import
    }

    /// All operations; the index of each is its [`OperationId`].
    pub fn operations(&self) -> impl DoubleEndedIterator<Item = Operation> + ExactSizeIterator + Clone + use<'_> {
        self.records.iter().map(|record| self.whole(record))
    }

    /// One operation.
    #[inline]
    pub fn operation(&self, id: OperationId) -> Operation {
        self.whole(&self.records[id.index()])
    }

    /// The operations `ids`, to be looked at one after another.
    pub(crate) fn run(&self, ids: &[OperationId]) -> Run<'_> {
        Run::new(self, &self.records, ids)
    }

    /// The least and the greatest integer among the arguments of all operations, if there is one.
    pub(crate) fn integers(&self) -> Option<(i64, i64)> {
        self.integers
    }

    /// As [`operation`](Self::operation), for the few places where nothing takes longer.
    #[inline(always)]
    pub(crate) fn at_hand(&self, id: OperationId) -> Operation {
        self.whole(&self.records[id.index()])
    }

    #[inline(always)]
    fn whole(&self, record: &Record) -> Operation {
        record.operation(self.keys.atoms(), &self.elsewhere)
    }

    /// When `id` was called.
    #[inline]
    pub(crate) fn call(&self, id: OperationId) -> u64 {
        self.records[id.index()].call
    }

    /// When `id` returned, if it did.
    #[inline]
    pub(crate) fn returned(&self, id: OperationId) -> Option<u64> {
        self.records[id.index()].returned()
    }

    /// How many operations there are.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// For each operation the place of its key among [`keys`](Self::keys).
    pub(crate) fn key_places(&self) -> impl Iterator<Item = u32> + use<'_> {
        self.records.iter().map(|record| record.key)
    }

    /// Index of the operation `id` in [`OPERATIONS`].
    pub(crate) fn row(&self, id: OperationId) -> usize {
        self.records[id.index()].row()
    }

    /// Whether `value` may be one of the arguments or the answer of `id`; not when it is another.
    pub(crate) fn mentions(&self, id: OperationId, value: Atom) -> bool {
        self.records[id.index()].mentions(value, &self.elsewhere)
    }

    /// When `id` was called and when it returned, in turn for all operations.
    pub(crate) fn events(&self) -> impl Iterator<Item = u64> + use<'_> {
        let moments = |record: &Record| [Some(record.call), record.returned()].into_iter().flatten();
        self.records.iter().flat_map(moments)
    }

    /// The place of the key of `id` among [`keys`](Self::keys).
    pub(crate) fn key_place(&self, id: OperationId) -> u32 {
        self.records[id.index()].key
    }

    /// All keys of operations, and perhaps of some that were dropped.
    pub(crate) fn keys(&self) -> &[Atom] {
        self.keys.atoms()
    }

    /// All identifiers, in order.
    pub fn ids(&self) -> impl Iterator<Item = OperationId> + use<> {
        (0..self.records.len()).map(|index| OperationId::new(index).expect("bounded by OPERATIONS_MAX"))
    }

    /// The identifier of the operation at `index`, if there is one.
    pub fn id(&self, index: usize) -> Option<OperationId> {
        OperationId::new(index).filter(|id| id.index() < self.records.len())
    }

    /// Whether the history is empty.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// How many operations have an unknown outcome.
    pub fn unknown_outcomes(&self) -> usize {
        self.records.iter().filter(|record| record.returned().is_none()).count()
    }

    /// How many operations have an unknown outcome, and how many have done what they were asked, or have answered a question: all that
    /// returned and were not refused.
    pub(crate) fn outcomes(&self) -> (usize, usize) {
        let asks = OpInfo::find("contains");
        let (mut unknown, mut succeeded) = (0, 0);
        for record in &self.records {
            match record.has_succeeded() {
                None => unknown += 1,
                Some(true) => succeeded += 1,
                Some(false) => succeeded += usize::from(asks == Some(record.row())),
            }
        }
        (unknown, succeeded)
    }

    /// The text that `id` names.
    pub fn text(&self, id: TextId) -> &str {
        self.values.text(id)
    }

    /// The items of the list that `id` names.
    pub fn list(&self, id: ListId) -> &[Atom] {
        self.values.list(id)
    }

    /// How many different texts there are.
    pub(crate) fn texts(&self) -> usize {
        self.values.texts()
    }

    /// The value that `atom` stands for.
    pub fn value(&self, atom: Atom) -> Value<'_> {
        self.values.value(atom)
    }

    /// The atom of `value`, or `None` for a text or a list that the history does not contain.
    pub fn atom(&self, value: Value<'_>) -> Option<Atom> {
        self.values.find(value)
    }

    /// One operation in words, without client and times: `append "x" "b"`, `read "x" -> "ab"`, `cas "x" 1 -> 2: ok`.
    pub fn describe(&self, id: OperationId) -> String {
        self.describe_as(&self.operation(id))
    }

    /// As [`describe`](Self::describe), of an operation as it was known at some moment.
    pub(crate) fn describe_as(&self, operation: &Operation) -> String {
        operation::describe(self, operation)
    }
}
