//! What each object does, and that equal calls give equal states.

use super::*;

fn object(call: &Call) -> Object {
    Object::new(call)
}

/// Carries out calls on a new object and gives the answers.
fn answers(calls: &[Call]) -> Vec<Answer> {
    let mut object = object(&calls[0]);
    calls.iter().map(|call| object.apply(call)).collect()
}

#[test]
fn collections_give_back_in_their_own_order() {
    use {PriorityQueueCall as P, QueueCall as Q, StackCall as S};
    let taken = |calls: &[Call]| answers(calls)[2..].to_vec();
    let some = |number: i64| Answer::from(Some(number));
    let queue = [Q::Enqueue(2), Q::Enqueue(1), Q::Dequeue, Q::Dequeue, Q::Dequeue].map(Call::Queue);
    assert_eq!(taken(&queue), [some(2), some(1), None.into()]);
    let stack = [S::Push(1), S::Push(2), S::Pop, S::Pop, S::Pop].map(Call::Stack);
    assert_eq!(taken(&stack), [some(2), some(1), None.into()]);
    let least = [P::Insert(2), P::Insert(1), P::PopMin, P::PopMin, P::PopMin].map(Call::PriorityQueue);
    assert_eq!(taken(&least), [some(1), some(2), None.into()]);
}

#[test]
fn a_set_tells_what_was_new_and_what_was_there() {
    use SetCall as S;
    let set = [
        S::Add(3),
        S::Add(3),
        S::Contains(3),
        S::Remove(3),
        S::Remove(3),
        S::Contains(3),
    ]
    .map(Call::Set);
    let told = [true, false, true, true, false, false].map(Answer::Done);
    assert_eq!(answers(&set), told);
}

#[test]
fn a_saga_holds_the_money_until_it_is_settled_once() {
    let total = |object: &Object| match object.query(&Call::Bank(BankCall::Read)) {
        Answer::Value(Datum::List(pairs)) => pairs
            .iter()
            .map(|pair| match pair {
                Datum::List(pair) => match pair[1] {
                    Datum::Number(balance) => balance,
                    _ => panic!("a balance is a number"),
                },
                _ => panic!("a bank is a list of pairs"),
            })
            .sum::<i64>(),
        other => panic!("{other:?}"),
    };
    let reserve = BankCall::Reserve {
        saga: 7,
        from: 0,
        to: 1,
        amount: 30,
    };
    let mut bank = object(&Call::Bank(reserve.clone()));
    let mut ask = |call| (bank.apply(&Call::Bank(call)), total(&bank));
    let all = ACCOUNTS * OPENING_BALANCE;
    assert_eq!(ask(reserve.clone()), (Answer::Done(true), all - 30));
    assert_eq!(ask(reserve), (Answer::Done(false), all - 30));
    assert_eq!(ask(BankCall::Cancel(7)), (Answer::Done(true), all));
    assert_eq!(ask(BankCall::Confirm(7)), (Answer::Done(false), all));
}

#[test]
fn an_old_token_is_refused_once_a_later_one_was_used() {
    use LockCall as L;
    let calls = [
        L::Acquire,
        L::Acquire,
        L::Release(1),
        L::Acquire,
        L::Guard(1),
        L::Guard(2),
        L::Guard(1),
        L::Guard(3),
    ];
    let some = |token: i64| Answer::from(Some(token));
    let expected = [
        some(1),
        None.into(),
        Answer::Done(true),
        some(2),
        Answer::Done(true),
        Answer::Done(true),
        Answer::Done(false),
        Answer::Done(false),
    ];
    assert_eq!(answers(&calls.map(Call::Lock)), expected);
}

#[test]
fn an_order_moves_only_along_the_table_and_only_from_where_it_is() {
    use {OrderCall as O, OrderState as S};
    let calls = [
        O::Transition(S::Placed, S::Paid),
        O::Transition(S::None, S::Placed),
        O::Transition(S::Placed, S::Shipped),
        O::Transition(S::Placed, S::Paid),
        O::Read,
    ];
    let told = [
        Answer::Done(false),
        Answer::Done(true),
        Answer::Done(false),
        Answer::Done(true),
        Answer::Value(Datum::Name("paid".to_owned())),
    ];
    assert_eq!(answers(&calls.map(Call::Order)), told);
    assert_eq!(S::from_name("paid"), Some(S::Paid));
}

#[test]
fn a_transaction_reads_what_stands_before_it_and_what_it_wrote_itself() {
    use RegistersStep::{Read, Write};
    let txn = |steps: &[RegistersStep]| Call::Registers(RegistersCall::Txn(steps.to_vec()));
    let calls = [
        txn(&[Read(1), Write(1, 5), Read(1)]),
        txn(&[Write(1, 6), Read(2), Read(1)]),
    ];
    let list = |items: [Datum; 2]| Answer::Value(Datum::List(items.to_vec()));
    assert_eq!(
        answers(&calls),
        [
            list([Datum::Nothing, Datum::Number(5)]),
            list([Datum::Nothing, Datum::Number(6)])
        ]
    );
}

#[test]
fn a_call_of_another_type_is_refused_and_changes_nothing() {
    let mut counter = object(&Call::Counter(CounterCall::Read));
    let before = counter.hash(1);
    assert_eq!(counter.apply(&Call::Queue(QueueCall::Dequeue)), Answer::Done(false));
    assert_eq!(counter.hash(1), before);
    counter.apply(&Call::Counter(CounterCall::Add(1)));
    assert_ne!(counter.hash(1), before);
}

#[test]
fn a_log_gives_offsets_and_what_comes_after_them() {
    let calls = [
        LogCall::Append(9),
        LogCall::Append(8),
        LogCall::Fetch(1),
        LogCall::Fetch(5),
    ]
    .map(Call::Log);
    let expected = [
        Answer::from(0),
        Answer::from(1),
        Answer::numbers([8]),
        Answer::numbers([]),
    ];
    assert_eq!(answers(&calls), expected);
}
