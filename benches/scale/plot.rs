//! Plots time and memory over the number of backups.

use super::measure::Size;
use anyhow::{Result, anyhow};
use plotters::prelude::*;
use std::path::Path;

type Line<'a> = (&'a str, RGBColor, Vec<(f64, f64)>);

/// Draws both plots into a file.
///
/// # Errors
/// Returns an error if the file cannot be written.
pub fn draw(sizes: &[Size], path: &Path) -> Result<()> {
    let line = |name, color, value: &dyn Fn(&Size) -> f64| -> Line<'_> {
        (name, color, sizes.iter().map(|size| (size.backups as f64, value(size))).collect())
    };
    let times = [
        line("cold start", RED, &|size| size.cold_start().as_secs_f64()),
        line("bare client", BLUE, &|size| size.limit().as_secs_f64()),
        line("mass edit", GREEN, &|size| size.mass_edit.as_secs_f64()),
        line("restart", BLACK, &|size| size.restart.as_secs_f64()),
    ];
    let memory = [
        line("peak", RED, &|size| size.rest_memory.peak),
        line("at rest", BLUE, &|size| size.rest_memory.now),
        line("after a relist", GREEN, &|size| size.relist_memory.now),
    ];
    let area = SVGBackend::new(path, (960, 380)).into_drawing_area();
    area.fill(&WHITE).map_err(fault)?;
    let (left, right) = area.split_horizontally(480);
    panel(&left, "Time", "seconds", &times)?;
    panel(&right, "Memory with 4 Jobs a backup", "MiB", &memory)?;
    area.present().map_err(fault)
}

fn panel(
    area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    title: &str,
    unit: &str,
    lines: &[Line<'_>],
) -> Result<()> {
    let points = || lines.iter().flat_map(|(_, _, points)| points);
    let most = |value: fn(&(f64, f64)) -> f64| points().map(value).fold(1e-3, f64::max) * 1.05;
    let (width, height) = (most(|point| point.0), most(|point| point.1));
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(56)
        .build_cartesian_2d(0.0..width, 0.0..height)
        .map_err(fault)?;
    chart.configure_mesh().x_desc("AntflyBackups").y_desc(unit).x_labels(6).draw().map_err(fault)?;
    for (name, color, points) in lines {
        let color = *color;
        let series = LineSeries::new(points.iter().copied(), color.stroke_width(2)).point_size(3);
        let drawn = chart.draw_series(series).map_err(fault)?;
        drawn.label(*name).legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], color.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK.mix(0.3))
        .draw()
        .map_err(fault)
}

/// Converts an error of plotters, which borrows its subject.
fn fault(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("draw: {error}")
}
