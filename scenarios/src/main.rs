//! squall
use scenarios::*;
fn main() {
    let known_p: Vec<&str> = checker::properties::PROPERTIES.iter().map(|p| p.name).collect();
    let fc: Vec<&str> = simulator::FaultClass::ALL.iter().map(|p| p.name()).collect();
    let known = scenario::Known { properties: &known_p, fault_classes: &fc };
    let n: u64 = std::env::args().nth(2).unwrap_or("20".into()).parse().unwrap();
    let which = std::env::args().nth(1).unwrap_or("all".into());
    let bug = std::env::args().nth(3).map(|b| systems::kv::PlantedBug::find(&b).unwrap());
    for b in scenario::builtin().iter().filter(|b| which == "all" || b.name == which) {
        let s = scenario::parse(b.name, b.text, &[], &known).unwrap_or_else(|e| panic!("{e}"));
        let (mut ev, mut ops, mut unk, mut com) = (0, 0, 0, 0);
        let mut exp = simulator::Exposure::default();
        let mut sit = situations::Situations::default();
        for seed in 0..n {
            let r = run::run(&s, seed, run::RunOptions { bug, trace: n==1 }); if n==1 { for e in &r.trace { println!("{}", serde_json::to_string(e).unwrap()) } }
            if let Some(f) = &r.failure { println!("{} seed {seed}: {f}\n   {}\n{}", b.name, f.message, f.details); if bug.is_some() {return} }
            ev += r.events; ops += r.operations; unk += r.unknown_outcomes; com += r.committed;
            exp.merge(&r.exposure); sit.merge(&r.situations);
        }
        println!("{}: events {} ops {} unknown {} committed {}", b.name, ev / n, ops as u64 / n, unk as u64 / n, com / n);
        for (c, k) in exp.iter() { if k > 0 { print!(" {}={}", c.name(), k / n) } }
        println!();
        for (c, k) in sit.iter() { if k > 0 { print!(" {}={}", c.name(), k ) } }
        println!();
    }
}
