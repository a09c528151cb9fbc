//! The same metrics, by an OpenTelemetry meter.

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use opentelemetry::metrics::MeterProvider;
use opentelemetry::{KeyValue, Value};
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, Metric, MetricData, ScopeMetrics};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};
use outrigger::Integration;
use outrigger::telemetry::metrics::Metrics;
use outrigger::telemetry::metrics::names::{self, Kind, Unit};
use outrigger::testing::{Answer, Script};

use crate::page::exported_name;
use crate::trouble::{Bench, call};

/// One point: its attributes, and its value or how many values there were.
type Point = (BTreeMap<String, Value>, f64);

struct Meter {
    provider: SdkMeterProvider,
    exporter: InMemoryMetricExporter,
    bench: Bench,
}

impl Meter {
    fn new() -> Self {
        let exporter = InMemoryMetricExporter::default();
        let reader = PeriodicReader::builder(exporter.clone()).build();
        let provider = SdkMeterProvider::builder().with_reader(reader).build();
        let bench = Bench::over(Metrics::metered_by(&provider.meter("outrigger")));
        Self { provider, exporter, bench }
    }

    /// Everything that was exported: by name, with its unit and its points.
    fn exported(&self) -> BTreeMap<String, (String, Vec<Point>)> {
        self.bench.metrics.observe(&self.bench.registry);
        self.provider.force_flush().unwrap();
        let finished = self.exporter.get_finished_metrics().unwrap();
        let scopes = finished.last().unwrap().scope_metrics();
        let metrics = scopes.flat_map(ScopeMetrics::metrics);
        let entry = |metric: &Metric| {
            (metric.name().to_owned(), (metric.unit().to_owned(), points(metric)))
        };
        metrics.map(entry).collect()
    }
}

fn points(metric: &Metric) -> Vec<Point> {
    match metric.data() {
        AggregatedMetrics::U64(MetricData::Sum(sum)) => {
            sum.data_points().map(|at| (told(at.attributes()), at.value() as f64)).collect()
        }
        AggregatedMetrics::F64(MetricData::Sum(sum)) => {
            sum.data_points().map(|at| (told(at.attributes()), at.value())).collect()
        }
        AggregatedMetrics::F64(MetricData::Gauge(gauge)) => {
            gauge.data_points().map(|at| (told(at.attributes()), at.value())).collect()
        }
        AggregatedMetrics::F64(MetricData::Histogram(all)) => {
            all.data_points().map(|at| (told(at.attributes()), at.count() as f64)).collect()
        }
        other => panic!("{} is {other:?}", metric.name()),
    }
}

fn told<'a>(attributes: impl Iterator<Item = &'a KeyValue>) -> BTreeMap<String, Value> {
    attributes.map(|told| (told.key.to_string(), told.value.clone())).collect()
}

/// The name that Prometheus makes of an OpenTelemetry metric (OpenTelemetry, Prometheus and
/// OpenMetrics Compatibility, "Metric Metadata").
fn translated(metric: &names::Metric, unit: &str) -> String {
    let mut name = metric.name.replace('.', "_");
    name += match unit {
        "s" => "_seconds",
        "1" if metric.kind == Kind::Gauge => "_ratio",
        "1" => "",
        _ if unit.starts_with('{') && unit.ends_with('}') => "",
        _ => panic!("{name} is of {unit}"),
    };
    name + if metric.kind == Kind::Counter { "_total" } else { "" }
}

#[tokio::test(start_paused = true)]
async fn every_metric_reaches_the_meter_with_its_unit_and_its_labels() {
    let meter = Meter::new();
    meter.bench.live_through_all().await;
    let exported = meter.exported();
    assert_eq!(exported.len(), names::ALL.len());
    assert_eq!(exported[names::ACTIVE_REQUESTS.name].0, "{request}", "OpenTelemetry's own");
    for metric in names::ALL {
        let (unit, points) = &exported[metric.name];
        let expected = match metric.unit {
            Unit::Seconds => "s".to_owned(),
            Unit::Of(things) => format!("{{{things}}}"),
            other => panic!("{} is of {other:?}", metric.name),
        };
        assert_eq!(*unit, expected, "{}", metric.name);
        assert_eq!(translated(metric, unit), exported_name(metric), "one name, by either way");
        let told: BTreeSet<_> =
            points.iter().flat_map(|(told, _)| told.keys().map(String::as_str)).collect();
        assert_eq!(told, metric.labels.iter().copied().collect(), "{}", metric.name);
    }
}

#[tokio::test(start_paused = true)]
async fn statuses_and_ports_are_numbers_and_an_error_type_is_a_text() {
    let meter = Meter::new();
    let shop = Integration::user_flow("shop")
        .subscriber(meter.bench.metrics.clone())
        .without_retry()
        .service(Script::new([Answer::status(503)]))
        .build()
        .unwrap();
    call(&shop, Method::GET).await;
    let (_, points) = &meter.exported()["http.client.request.duration"];
    let [(told, times)] = points.as_slice() else { panic!("{points:?}") };
    assert_eq!(*times, 1.0);
    assert_eq!(told["http.response.status_code"], Value::I64(503));
    assert_eq!(told["server.port"], Value::I64(443));
    assert_eq!(told["error.type"], Value::from("503"));
    assert_eq!(told["server.address"], Value::from("shop.test"));
    let (_, under_way) = &meter.exported()["http.client.active_requests"];
    assert!(under_way.iter().all(|(_, value)| *value == 0.0));
}
