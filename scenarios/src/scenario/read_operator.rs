//! From `[operator]`, or several `[[operator]]`, to who gives the cluster orders: at random, and at given times.

use super::document::{Mark, Value};
use super::error::Misfit;
use super::named;
use super::read::{HOUR, MILLISECOND, MINUTE, SECOND, duration, millis};
use super::read_cluster::MAX_NODES;
use super::section::Section;
use super::spec::{Cluster, Operator, Order, OrderMix, ScriptedOrder, Timing};
use super::{MAX_ORDERS, Result, feasible};

/// Who gives orders at random, and the orders at given times.
type Operators = (Option<Operator>, Vec<ScriptedOrder>);

/// Reads `[operator]` or the `[[operator]]` sections, if there are any.
pub fn operators(top: &Section<'_>, cluster: &Cluster, time: &Timing) -> Result<Operators> {
    let Some(node) = top.get("operator") else {
        return Ok((None, Vec::new()));
    };
    let Value::List(items) = &node.value else {
        let section = top.child("operator", "operator.", "[operator]")?;
        return Ok((Some(at_random(&section, cluster, time)?), Vec::new()));
    };
    let (mut operator, mut orders) = (None, Vec::new());
    for (index, item) in items.iter().enumerate() {
        let (prefix, title) = (format!("operator.{index}."), format!("[[operator]] {index}"));
        let section = Section::of(item, &prefix, &title, "[[operator]] above the keys of each")?;
        if is_scripted(&section) {
            orders.push(scripted(&section, cluster, time)?);
        } else if index == 0 {
            operator = Some(at_random(&section, cluster, time)?);
        } else {
            return Err(Misfit::unfit(
                item.mark,
                format!("{title} gives orders at random, and only the first [[operator]] may"),
                "write `at` and what to do at that time, or move it to the front if no other gives orders at random",
            ));
        }
    }
    if orders.len() > MAX_ORDERS {
        let what = format!("there are {} orders at given times", orders.len());
        return Err(Misfit::unfit(node.mark, what, format!("keep at most {MAX_ORDERS}")));
    }
    Ok((operator, orders))
}

/// The keys that name what a scripted order asks for.
const WANTS: [&str; 6] = ["add", "add_learner", "remove", "members", "transfer", "campaign"];

fn is_scripted(section: &Section<'_>) -> bool {
    section.get("at").is_some() || WANTS.iter().any(|want| section.get(want).is_some())
}

fn scripted(section: &Section<'_>, cluster: &Cluster, time: &Timing) -> Result<ScriptedOrder> {
    section.only(&[
        "at",
        "timeout",
        "add",
        "add_learner",
        "remove",
        "members",
        "learners",
        "transfer",
        "campaign",
    ])?;
    if section.get("at").is_none() {
        return Err(section.missing("at", "at = \"2s\", when the order is given"));
    }
    let at_ns = section.duration("at", 0, 0..=HOUR)?;
    if at_ns >= time.chaos_ns {
        let (at, chaos) = (duration(at_ns), duration(time.chaos_ns));
        return Err(Misfit::unfit(
            section.mark_of(&["at"]),
            format!(
                "`{}` is {at}, and orders end with `time.chaos`, at {chaos}",
                section.path("at")
            ),
            feasible::in_time(
                "give the order",
                &section.path("at"),
                at_ns,
                &duration(time.chaos_ns / 2),
            ),
        ));
    }
    let given: Vec<&str> = WANTS.into_iter().filter(|want| section.get(want).is_some()).collect();
    let [want] = given[..] else {
        return Err(Misfit::unfit(
            section.mark_of(&given),
            match given[..] {
                [] => format!("`{}` comes without an order", section.path("at")),
                _ => format!("one order is given at a time, not {}", given.join(" and ")),
            },
            format!("write one of {} in each [[operator]]", WANTS.join(", ")),
        ));
    };
    let node = || -> Result<u16> {
        let path = section.path(want);
        let (name, mark) = section.text(want, "\"n1\"")?.expect("it is given");
        named::number(mark, &path, name, cluster).map(|number| number as u16)
    };
    let order = match want {
        "add" => Order::Add(node()?),
        "add_learner" => Order::AddLearner(node()?),
        "remove" => Order::Remove(node()?),
        "transfer" => Order::Transfer(node()?),
        "campaign" => Order::Campaign(node()?),
        _ => members(section, cluster)?,
    };
    if want != "members" && section.get("learners").is_some() {
        return Err(Misfit::unfit(
            section.mark_of(&["learners"]),
            format!("`{}` belongs to `members`", section.path("learners")),
            "write `members` with those who vote, or `add_learner`",
        ));
    }
    Ok(ScriptedOrder {
        at_ns,
        timeout_ns: section.duration("timeout", 2 * SECOND, MILLISECOND..=10 * MINUTE)?,
        order,
    })
}

fn members(section: &Section<'_>, cluster: &Cluster) -> Result<Order> {
    let nodes = |key: &str| -> Result<Vec<u16>> {
        let path = section.path(key);
        let words = section.words(key, "[\"n0\", \"n1\"]")?.unwrap_or_default();
        let number =
            |(name, mark): &(&str, Mark)| named::number(*mark, &path, name, cluster).map(|number| number as u16);
        words.iter().map(number).collect()
    };
    let (voters, learners) = (nodes("members")?, nodes("learners")?);
    if voters.is_empty() {
        return Err(Misfit::unfit(
            section.mark_of(&["members"]),
            format!("`{}` names nobody", section.path("members")),
            "name at least one node that votes",
        ));
    }
    if let Some(both) = learners.iter().find(|learner| voters.contains(learner)) {
        return Err(Misfit::unfit(
            section.mark_of(&["learners"]),
            format!("n{both} is to vote and to be a learner"),
            "name it in `members` or in `learners`",
        ));
    }
    Ok(Order::Members { voters, learners })
}

fn at_random(section: &Section<'_>, cluster: &Cluster, time: &Timing) -> Result<Operator> {
    section.only(&["every", "mix", "min_voters", "timeout"])?;
    let operator = Operator {
        every: section.durations("every", millis(1_000, 3_000), MILLISECOND..=HOUR)?,
        mix: mix(section)?,
        min_voters: section.count("min_voters", 1, 1..=MAX_NODES)?,
        timeout_ns: section.duration("timeout", 2 * SECOND, MILLISECOND..=10 * MINUTE)?,
    };
    if operator.every.min_ns >= time.chaos_ns {
        let (every, chaos) = (duration(operator.every.min_ns), duration(time.chaos_ns));
        return Err(Misfit::unfit(
            section.mark_of(&["every"]),
            format!(
                "`{}` starts at {every} and no order is given: `time.chaos` is {chaos}",
                section.path("every")
            ),
            feasible::in_time(
                "let the orders begin",
                &section.path("every"),
                operator.every.min_ns,
                &feasible::soon(time.chaos_ns),
            ),
        ));
    }
    let (nodes, spares) = (cluster.nodes.smallest(), cluster.spares.smallest());
    if operator.min_voters > nodes + spares {
        return Err(Misfit::unfit(
            section.mark_of(&["min_voters"]),
            format!(
                "`{}` is {}, but `cluster.nodes` may be {nodes} and `cluster.spares` {spares}",
                section.path("min_voters"),
                operator.min_voters
            ),
            format!(
                "write at most {}, or raise the smallest values of `nodes` and `spares`",
                nodes + spares
            ),
        ));
    }
    Ok(operator)
}

fn mix(operator: &Section<'_>) -> Result<OrderMix> {
    let Some(node) = operator.get("mix") else {
        return Ok(OrderMix {
            change: 3,
            replace: 1,
            transfer: 2,
            campaign: 1,
            single: 0,
        });
    };
    let example = "mix = { change = 3, replace = 1, transfer = 2, campaign = 1 }";
    let (path, prefix) = (operator.path("mix"), operator.path("mix."));
    let title = format!("`{path}`");
    let section = Section::of(node, &prefix, &title, example)?;
    section.only(&["change", "replace", "transfer", "campaign", "single"])?;
    let weight = |key| section.count(key, 0, 0..=1_000);
    let mix = OrderMix {
        change: weight("change")?,
        replace: weight("replace")?,
        transfer: weight("transfer")?,
        campaign: weight("campaign")?,
        single: weight("single")?,
    };
    if mix.total() == 0 {
        let remedy = "give at least one kind of order a weight, such as { transfer = 1 }, or leave [operator] out";
        return Err(Misfit::unfit(
            node.mark,
            format!("{title} leaves nothing to do"),
            remedy,
        ));
    }
    Ok(mix)
}
