//! Prints what the stock costs: `cargo run --release -p stock --example measure`.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a measurement, run by hand"
)]

use std::fmt::Write as _;
use std::io::{self, Read};
use std::sync::Arc;
use std::time::{Duration, Instant};

use stock::{Condition, Feeds, Limits, Mapping, Names, Order, Reading, Schema, Stock, Test, Wish};

const DOMAIN: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../deploy/domains/car-dealer/stock"
);
const MAKES: [(&str, &[&str]); 5] = [
    (
        "Volkswagen",
        &[
            "Golf", "Polo", "Passat", "Tiguan", "ID.3", "Up", "Touran", "T-Roc",
        ],
    ),
    ("Opel", &["Corsa", "Astra", "Mokka", "Insignia"]),
    ("Toyota", &["Yaris", "Corolla", "Aygo", "RAV4"]),
    ("BMW", &["1 Series", "3 Series", "X1", "X3"]),
    ("Kia", &["Picanto", "Niro", "Ceed", "Sportage"]),
];

/// The last of a list that was sorted, at a share of it.
fn at(sorted: &[Duration], share: f64) -> Duration {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a place in a list"
    )]
    let place = (sorted.len() as f64 * share) as usize;
    sorted.get(place).copied().unwrap_or_default()
}

/// The memory of this process, in kilobytes.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or_default()
}

/// A feed as XML that is made while it is read, so that it takes no memory itself.
struct Vehicles {
    next: usize,
    end: usize,
    text: String,
    at: usize,
}

impl Vehicles {
    fn new(count: usize) -> Self {
        let text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><voorraad>".into();
        Self {
            next: 0,
            end: count,
            text,
            at: 0,
        }
    }

    fn fill(&mut self) {
        self.text.clear();
        self.at = 0;
        let id = self.next;
        let (make, models) = MAKES[id % MAKES.len()];
        let model = models[id / 7 % models.len()];
        let fuel = ["B", "D", "E", "H"][id / 3 % 4];
        let gear = ["H", "A"][id / 5 % 2];
        let colour = ["zwart", "wit", "grijs", "blauw", "rood"][id / 11 % 5];
        let body = ["Hatchback", "Stationwagon", "SUV", "MPV"][id / 13 % 4];
        write!(
            self.text,
            "<voertuig actie=\"add\" voertuignr_hexon=\"{id}\"><merk>{make}</merk><model>{model}</model><type>1.{} uitvoering {}</type>\
             <kenteken>AE-{:03}-U</kenteken><bouwjaar>{}</bouwjaar><brandstof>{fuel}</brandstof><transmissie>{gear}</transmissie>\
             <carrosserie>{body}</carrosserie><kleur><basiskleur>{colour}</basiskleur></kleur><aantal_deuren>5</aantal_deuren>\
             <aantal_zitplaatsen>{}</aantal_zitplaatsen><tellerstand eenheid=\"K\">{}</tellerstand><vermogen_motor_kw>{}</vermogen_motor_kw>\
             <btw_marge>M</btw_marge><verkoopprijs_particulier>{}</verkoopprijs_particulier><verkoopprijs_handel>1</verkoopprijs_handel>\
             <opmerkingen>Nette auto met historie, nummer {id}, te bekijken op afspraak. Inclusief beurt, apk en garantie.</opmerkingen><accessoires>",
            id % 9, id % 40, id % 1000, 2008 + id % 18, 4 + id % 4, 5_000 + id * 7 % 190_000, 50 + id % 150, 4_000 + id * 13 % 56_000
        )
        .unwrap();
        for option in [
            "Airco",
            "Navigatie",
            "Trekhaak",
            "Cruise control",
            "Stoelverwarming",
            "Parkeersensoren",
            "Apple CarPlay",
            "Isofix",
            "LED",
            "Lichtmetalen velgen",
        ]
        .iter()
        .skip(id % 4)
        {
            write!(self.text, "<accessoire><naam>{option}</naam></accessoire>").unwrap();
        }
        write!(self.text, "</accessoires><afbeeldingen>").unwrap();
        for picture in 1..8 {
            write!(self.text, "<afbeelding><url>https://voorbeeld.example/voorraad/{id}/foto-{picture}.jpg</url></afbeelding>").unwrap();
        }
        write!(self.text, "</afbeeldingen><deeplink>https://voorbeeld.example/occasions/{id}</deeplink></voertuig>").unwrap();
        self.next += 1;
    }
}

impl Read for Vehicles {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.at == self.text.len() {
            match self.next.cmp(&self.end) {
                std::cmp::Ordering::Less => self.fill(),
                std::cmp::Ordering::Equal => {
                    self.text = "</voorraad>".into();
                    self.at = 0;
                    self.next += 1;
                }
                std::cmp::Ordering::Greater => return Ok(0),
            }
        }
        let read = self
            .text
            .as_bytes()
            .get(self.at..)
            .unwrap_or_default()
            .read(out)?;
        self.at += read;
        Ok(read)
    }
}

fn feeds() -> Feeds {
    let mut names = Names::new("car_make", "car_model");
    for (make, models) in MAKES {
        names.add_make(make, make);
        for model in models {
            names.add_model(make, model, model);
        }
    }
    let names = vec![names];
    let read = |name: &str| std::fs::read_to_string(format!("{DOMAIN}/{name}")).unwrap();
    let schema = Schema::parse(&read("attributes.toml"), &names).unwrap();
    let mappings = vec![Mapping::parse(&read("hexon.toml"), &schema).unwrap()];
    Feeds {
        schema: Arc::new(schema),
        names,
        mappings,
    }
}

fn import(feeds: &Feeds, count: usize) -> Vec<stock::Item> {
    let now = "2026-11-29T12:00:00Z".parse().unwrap();
    let how = Reading {
        source: "measure",
        mapping: None,
        now,
        limits: Limits::default(),
    };
    let import = feeds.import(Vehicles::new(count), &how).unwrap();
    assert_eq!((import.items.len(), import.report.unread.len()), (count, 0));
    import.items
}

/// Wishes as customers have them: two to six conditions.
fn wish(number: usize) -> Wish {
    let (make, models) = MAKES[number % MAKES.len()];
    let word = |text: &str| Test::OneOf(vec![text.to_owned()]);
    let all = [
        ("car_make", word(make)),
        ("car_model", word(models[number % models.len()])),
        (
            "price",
            Test::AtMost(8_000 + i64::try_from(number * 97 % 30_000).unwrap()),
        ),
        ("transmission", word("automatic")),
        ("mileage", Test::AtMost(100_000)),
        ("fuel_type", Test::NoneOf(vec!["diesel".into()])),
    ];
    let conditions = all
        .into_iter()
        .take(2 + number % 5)
        .map(|(attribute, test)| Condition {
            attribute: attribute.into(),
            test,
        });
    let order = number.is_multiple_of(3).then(|| Order {
        attribute: "price".into(),
        descending: false,
    });
    Wish {
        conditions: conditions.collect(),
        order,
    }
}

fn main() {
    let feeds = feeds();
    drop(import(&feeds, 100));
    let before = memory();
    let started = Instant::now();
    let items = import(&feeds, 10_000);
    let took = started.elapsed();
    let stock = Stock::new(feeds.schema.clone(), items);
    println!(
        "import of 10,000            {:>8.0} ms, with the index {:.0} ms",
        took.as_secs_f64() * 1e3,
        started.elapsed().as_secs_f64() * 1e3
    );
    println!(
        "memory of 10,000            {:>8.1} MB",
        (memory() - before) as f64 / 1024.0
    );
    let mut times: Vec<Duration> = (0..20_000)
        .map(|number| {
            let wish = wish(number);
            let started = Instant::now();
            std::hint::black_box(stock.find(&wish, 3));
            started.elapsed()
        })
        .collect();
    times.sort_unstable();
    println!(
        "look-up in 10,000, p50      {:>8.3} ms",
        at(&times, 0.5).as_secs_f64() * 1e3
    );
    println!(
        "look-up in 10,000, p95      {:>8.3} ms",
        at(&times, 0.95).as_secs_f64() * 1e3
    );
    let before = memory();
    let started = Instant::now();
    let items = import(&feeds, 100_000);
    println!(
        "import of 100,000           {:>8.0} ms",
        started.elapsed().as_secs_f64() * 1e3
    );
    println!(
        "memory of 100,000           {:>8.1} MB",
        (memory() - before) as f64 / 1024.0
    );
    drop(items);
}
