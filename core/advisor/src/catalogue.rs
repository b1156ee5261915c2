//! Architectures with their graph facts, built once and then remembered by the knowledge base under
//! the digest of the plugin that defines them.

use std::collections::BTreeMap;
use std::sync::Arc;

use convwise_store::shipped::Shipped;
use convwise_store::{Store, StoreError};
use convwise_types::{Architecture, Evidence, Fact, Grade, GraphFacts, InputShape, Missing, Request};
use convwise_zoo::{BuildOptions, Variant, Zoo, facts};

use crate::gather::{GraphTable, inputs_of};
use crate::imported::Published;

/// Kind of the cached values.
const CACHE: &str = "graph-facts/6";

/// All architectures and what their graphs cost.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    /// Architectures in order of their ids; `graph` holds the facts at the default input.
    pub architectures: Vec<Arc<Architecture>>,
    /// Graph facts at every input that occurs.
    pub graphs: GraphTable,
}

/// How networks depart from what was published: the same for all that an answer compares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Form {
    /// Classes of the last layer, as published without a number.
    pub classes: Option<u64>,
    /// Whether the graph ends in answers instead of predictions.
    pub postprocess: bool,
}

impl Form {
    /// The form that a request wants.
    #[must_use]
    pub fn of(request: &Request) -> Self {
        Self { classes: request.situation.classes, postprocess: request.postprocess }
    }

    /// How to build a network in it.
    #[must_use]
    pub fn at(self, input: InputShape) -> BuildOptions {
        let Self { classes, postprocess } = self;
        BuildOptions { classes, input: Some(input), postprocess, ..BuildOptions::default() }
    }

    /// The flags that ask for it.
    #[must_use]
    pub fn flags(self) -> String {
        let classes = self.classes.map(|c| format!(" --classes {c}")).unwrap_or_default();
        format!("{classes}{}", if self.postprocess { " --postprocess" } else { "" })
    }
}

/// One graph to cost.
struct Order<'a> {
    variant: &'a Variant,
    input: InputShape,
    key: String,
}

impl Order<'_> {
    fn table_key(&self) -> (String, InputShape) {
        (self.variant.id().to_string(), self.input)
    }
}

fn architectures(zoo: &Zoo, shipped: &Shipped, variants: &[&Variant]) -> Vec<Architecture> {
    variants.iter().map(|variant| described(zoo, shipped, variant)).collect()
}

/// What must be costed to gather the candidates of some variants, which are described in the same order.
fn orders<'a>(variants: &[&'a Variant], described: &[Architecture], form: Form) -> Vec<Order<'a>> {
    let buildable = variants.iter().zip(described).filter(|(variant, _)| variant.is_buildable());
    let of_variant = |(variant, architecture): (&&'a Variant, &Architecture)| {
        let variant = *variant;
        let order = move |input| Order { variant, input, key: cache_key(variant, input, form) };
        inputs_of(architecture).into_iter().map(order)
    };
    buildable.flat_map(of_variant).collect()
}

impl Catalogue {
    /// Facts of every architecture in a form: of those that plugins define, with what others published of them, and of
    /// those that are known from published figures alone.
    ///
    /// # Errors
    /// The knowledge base cannot be read.
    pub fn load(zoo: &Zoo, store: &Store, form: Form) -> Result<Self, StoreError> {
        let variants: Vec<_> = zoo.variants().collect();
        let known = known(zoo, store)?;
        let graphs = cost_all(zoo, store, &orders(&variants, &known, form), form)?;
        Ok(Self::assemble(known, graphs))
    }

    /// Facts of the architectures that plugins define, as these state them.
    ///
    /// # Errors
    /// The knowledge base cannot be read.
    pub fn of_plugins(zoo: &Zoo, store: &Store, form: Form) -> Result<Self, StoreError> {
        let variants: Vec<_> = zoo.variants().collect();
        let described = architectures(zoo, store.shipped(), &variants);
        let graphs = cost_all(zoo, store, &orders(&variants, &described, form), form)?;
        Ok(Self::assemble(described, graphs))
    }

    /// Facts of every architecture, built without looking at what a knowledge base remembers.
    #[must_use]
    pub fn build(zoo: &Zoo, shipped: &Shipped, form: Form) -> Self {
        let variants: Vec<_> = zoo.variants().collect();
        let described = architectures(zoo, shipped, &variants);
        let cost = |order: &Order<'_>| (order.table_key(), graded(build(zoo, order, form)));
        let graphs = orders(&variants, &described, form).iter().map(cost).collect();
        Self::assemble(described, graphs)
    }

    fn assemble(mut architectures: Vec<Architecture>, graphs: GraphTable) -> Self {
        for architecture in &mut architectures {
            let facts = graphs.get(&(architecture.id.to_string(), architecture.input));
            architecture.graph = facts.and_then(Fact::value).cloned();
        }
        architectures.sort_by(|a, b| a.id.cmp(&b.id));
        Self { architectures: architectures.into_iter().map(Arc::new).collect(), graphs }
    }

    /// Facts of one variant at one input.
    ///
    /// # Errors
    /// The knowledge base cannot be read.
    pub fn facts(
        zoo: &Zoo,
        store: &Store,
        variant: &Variant,
        input: InputShape,
        form: Form,
    ) -> Result<Fact<GraphFacts>, StoreError> {
        let order = Order { variant, input, key: cache_key(variant, input, form) };
        let mut graphs = cost_all(zoo, store, &[order], form)?;
        let unknown = || Fact::Unknown(Missing::new("graph", "convwise cannot build this network"));
        Ok(graphs.pop_first().map_or_else(unknown, |(_, fact)| fact))
    }
}

/// Every architecture that is known, with what others published of it; nothing is built.
///
/// # Errors
/// The knowledge base cannot be read.
pub fn known(zoo: &Zoo, store: &Store) -> Result<Vec<Architecture>, StoreError> {
    let variants: Vec<_> = zoo.variants().collect();
    let mut described = architectures(zoo, store.shipped(), &variants);
    let published = Published::of(store, &described)?;
    published.tell(&mut described);
    described.extend(published.into_others());
    Ok(described)
}

/// What the plugin says of a variant, with the terms of the data that its weights were trained on.
fn described(zoo: &Zoo, shipped: &Shipped, variant: &Variant) -> Architecture {
    let mut architecture = zoo.architecture(variant);
    for data in architecture.weights.iter_mut().flat_map(|w| &mut w.trained_on) {
        data.terms = shipped.corpus(&data.id).map(|corpus| corpus.terms.clone());
    }
    architecture
}

fn cache_key(variant: &Variant, input: InputShape, form: Form) -> String {
    let classes = form.classes.map_or_else(|| "published".to_owned(), |c| c.to_string());
    let tail = if form.postprocess { "/answers" } else { "" };
    format!("{}/{}/{input}/{classes}{tail}", variant.digest(), variant.id())
}

/// From the cache where possible; what had to be built is remembered. A cache that cannot be written
/// only costs time.
fn cost_all(zoo: &Zoo, store: &Store, orders: &[Order<'_>], form: Form) -> Result<GraphTable, StoreError> {
    let keys: Vec<&str> = orders.iter().map(|o| o.key.as_str()).collect();
    let cached = store.cache_get_many(CACHE, &keys)?;
    let mut table = BTreeMap::new();
    let mut fresh = Vec::new();
    for (order, value) in orders.iter().zip(cached) {
        let known = value.and_then(|v| serde_json::from_str::<GraphFacts>(&v).ok());
        let fact = match known {
            Some(facts) => Ok(facts),
            None => {
                let built = build(zoo, order, form);
                fresh.extend(
                    built
                        .as_ref()
                        .ok()
                        .and_then(|f| Some((order.key.as_str(), serde_json::to_string(f).ok()?))),
                );
                built
            }
        };
        table.insert(order.table_key(), graded(fact));
    }
    let fresh: Vec<(&str, &str)> = fresh.iter().map(|(key, text)| (*key, text.as_str())).collect();
    if !fresh.is_empty() {
        let _ = store.cache_put_many(CACHE, &fresh);
    }
    Ok(table)
}

fn build(zoo: &Zoo, order: &Order<'_>, form: Form) -> Result<GraphFacts, String> {
    let graph = zoo.build(order.variant, &form.at(order.input)).map_err(|e| e.to_string())?;
    facts(&graph, order.input).map_err(|e| e.to_string())
}

fn graded(fact: Result<GraphFacts, String>) -> Fact<GraphFacts> {
    match fact {
        Ok(facts) => Fact::Known(facts, Evidence::new(Grade::Estimated, "layer graph")),
        Err(why) => Fact::Unknown(Missing::new("graph", format!("the network cannot be built: {why}"))),
    }
}
