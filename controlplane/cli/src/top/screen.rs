//! The live view's terminal.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Cell, Paragraph, Row, Sparkline, Table};
use ratatui::{DefaultTerminal, Frame as Canvas};

use super::frame::{Frame, PartitionRate};
use super::gather::{GroupStanding, Look, Source};
use crate::failure::Failure;
use crate::output::Output;

pub const PARTITION_HEADER: [&str; 4] = ["topic", "partition", "end", "records/s"];
pub const GROUP_HEADER: [&str; 4] = ["group", "state", "partitions", "lag"];

/// Intervals that the curves remember.
const HISTORY: usize = 240;

/// The view's state.
struct Screen {
    title: String,
    colours: bool,
    frame: Option<Frame>,
    /// Records per second, the youngest last.
    history: VecDeque<u64>,
    /// Why the last look failed, while it does.
    trouble: Option<String>,
    paused: bool,
}

/// Draws until the user leaves.
///
/// # Errors
/// The terminal cannot be used.
pub fn run(source: Source, interval: Duration, output: Output) -> Result<(), Failure> {
    let mut screen = Screen {
        title: format!(" precursor top · {} ", source.bootstrap()),
        colours: output.colours(),
        frame: None,
        history: VecDeque::with_capacity(HISTORY),
        trouble: None,
        paused: false,
    };
    let mut terminal = ratatui::init();
    let result = screen.run(&mut terminal, source, interval);
    ratatui::restore();
    result.map_err(|error| {
        Failure::new(format!("the terminal cannot be used: {error}"))
            .next("For one look without it: precursor top --once")
    })
}

impl Screen {
    fn run(
        &mut self,
        terminal: &mut DefaultTerminal,
        mut source: Source,
        interval: Duration,
    ) -> std::io::Result<()> {
        let mut before: Option<Look> = None;
        loop {
            let began = Instant::now();
            if !self.paused {
                match source.look() {
                    Ok(now) => {
                        let earlier = before.replace(now.clone());
                        if let Some(earlier) = earlier {
                            self.take(Frame::between(&earlier, &now));
                        }
                        self.trouble = None;
                    }
                    // A broker that is being restarted comes back.
                    Err(failure) => self.trouble = Some(failure.sentence),
                }
            }
            terminal.draw(|canvas| self.draw(canvas))?;
            while began.elapsed() < interval {
                let left = interval.saturating_sub(began.elapsed());
                if event::poll(left)? && self.leaves(&event::read()?) {
                    return Ok(());
                }
                terminal.draw(|canvas| self.draw(canvas))?;
            }
            if self.trouble.is_some() {
                source.reconnect();
            }
        }
    }

    fn take(&mut self, frame: Frame) {
        if self.history.len() == HISTORY {
            self.history.pop_front();
        }
        self.history.push_back(frame.records_in as u64);
        self.frame = Some(frame);
    }

    /// Whether an event is the user's wish to leave.
    fn leaves(&mut self, event: &Event) -> bool {
        let Event::Key(key) = event else {
            return false;
        };
        if key.kind != KeyEventKind::Press {
            return false;
        }
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('c') if control => true,
            KeyCode::Char('q') | KeyCode::Esc => true,
            KeyCode::Char(' ') => {
                self.paused = !self.paused;
                false
            }
            _ => false,
        }
    }

    fn draw(&self, canvas: &mut Canvas) {
        let [top, curve, tables, bottom] = Layout::vertical([
            Constraint::Length(8),
            Constraint::Length(6),
            Constraint::Min(4),
            Constraint::Length(1),
        ])
        .areas(canvas.area());
        self.draw_figures(canvas, top);
        self.draw_curve(canvas, curve);
        let [partitions, groups] =
            Layout::horizontal([Constraint::Percentage(50), Constraint::Percentage(50)])
                .areas(tables);
        self.draw_tables(canvas, partitions, groups);
        let help = match (&self.trouble, self.paused) {
            (Some(trouble), _) => Span::styled(trouble.as_str(), self.style(Color::Red)),
            (None, true) => Span::raw("paused · space goes on · q leaves"),
            (None, false) => Span::raw("space pauses · q leaves"),
        };
        canvas.render_widget(Line::from(help), bottom);
    }

    fn draw_figures(&self, canvas: &mut Canvas, area: Rect) {
        let block = Block::bordered().title(self.title.as_str());
        let lines: Vec<Line> = match &self.frame {
            None => vec![Line::from("looking …")],
            Some(frame) => figures(frame)
                .into_iter()
                .map(|(name, value)| {
                    let name = Span::styled(format!("{name:<12}"), self.style(Color::Cyan));
                    Line::from(vec![name, Span::raw(value)])
                })
                .collect(),
        };
        canvas.render_widget(Paragraph::new(lines).block(block), area);
    }

    fn draw_curve(&self, canvas: &mut Canvas, area: Rect) {
        let width = usize::from(area.width.saturating_sub(2));
        let skipped = self.history.len().saturating_sub(width);
        let recent: Vec<u64> = self.history.iter().skip(skipped).copied().collect();
        let most = recent.iter().max().copied().unwrap_or(0);
        let title = format!(" records in per second, at most {} ", short(most as f64));
        let curve = Sparkline::default()
            .block(Block::bordered().title(title))
            .data(&recent)
            .style(self.style(Color::Green));
        canvas.render_widget(curve, area);
    }

    fn draw_tables(&self, canvas: &mut Canvas, left: Rect, right: Rect) {
        let Some(frame) = &self.frame else {
            return;
        };
        let rows = usize::from(left.height);
        let title = format!(" {} partitions, the busiest first ", frame.partitions.len());
        let partitions = frame.partitions.iter().take(rows).map(partition_row);
        let table = self.table(title, PARTITION_HEADER, partitions.collect());
        canvas.render_widget(table, left);
        let title = format!(" {} groups, the furthest behind first ", frame.group_count);
        let groups = frame.groups.iter().take(rows).map(group_row);
        let table = self.table(title, GROUP_HEADER, groups.collect());
        canvas.render_widget(table, right);
    }

    fn table(
        &self,
        title: String,
        header: [&'static str; 4],
        rows: Vec<Vec<String>>,
    ) -> Table<'static> {
        let widths = [
            Constraint::Fill(1),
            Constraint::Length(11),
            Constraint::Length(12),
            Constraint::Length(12),
        ];
        let header =
            Row::new(header.map(Cell::from)).style(Style::new().add_modifier(Modifier::BOLD));
        let rows = rows.into_iter().map(Row::new);
        Table::new(rows, widths)
            .header(header)
            .block(Block::bordered().title(title))
    }

    fn style(&self, colour: Color) -> Style {
        match self.colours {
            true => Style::new().fg(colour),
            false => Style::new(),
        }
    }
}

/// The lines of figures, by name.
pub fn figures(frame: &Frame) -> Vec<(&'static str, String)> {
    let trips = frame.round_trip_us;
    let latency = format!(
        "round trip of a small request: {:.0} µs median, {:.0} to {:.0}",
        trips.median, trips.shortest, trips.longest
    );
    let records_in = short(frame.records_in);
    let Some(counted) = &frame.counted else {
        return vec![
            ("in", format!("{records_in} records/s")),
            ("latency", latency),
            ("broker", "it does not tell its own numbers here".to_owned()),
        ];
    };
    let processes: Vec<String> = counted
        .processes
        .iter()
        .map(|process| {
            let resident = bytes(process.resident_bytes);
            format!(
                "{} {:.0} % of a core, {resident}",
                process.name, process.cpu_percent
            )
        })
        .collect();
    vec![
        (
            "in",
            format!("{records_in} records/s, {}/s", bytes(counted.bytes_in)),
        ),
        (
            "out",
            format!(
                "{} records/s, {}/s",
                short(counted.records_out),
                bytes(counted.bytes_out)
            ),
        ),
        (
            "requests",
            format!(
                "{} produce/s, {} fetch/s, {} failed/s, {} connections",
                short(counted.produce_requests),
                short(counted.fetch_requests),
                short(counted.requests_failed),
                short(counted.connections)
            ),
        ),
        ("latency", latency),
        (
            "memory",
            format!(
                "{} of records in memory, {} free",
                bytes(counted.pool_bytes_in_use),
                bytes(counted.pool_bytes_free)
            ),
        ),
        ("processes", processes.join(" · ")),
    ]
}

pub fn partition_row(rate: &PartitionRate) -> Vec<String> {
    vec![
        rate.topic.clone(),
        rate.partition.to_string(),
        rate.end.to_string(),
        short(rate.records_per_second),
    ]
}

pub fn group_row(group: &GroupStanding) -> Vec<String> {
    vec![
        group.group.clone(),
        group.state.clone(),
        group.partitions.to_string(),
        group.lag.to_string(),
    ]
}

/// A number in four or five letters.
fn short(number: f64) -> String {
    match number {
        1e9.. => format!("{:.2}G", number / 1e9),
        1e6.. => format!("{:.2}M", number / 1e6),
        1e4.. => format!("{:.1}k", number / 1e3),
        _ => format!("{number:.0}"),
    }
}

fn bytes(number: f64) -> String {
    const KIB: f64 = 1024.0;
    match number {
        n if n >= KIB.powi(3) => format!("{:.1} GiB", n / KIB.powi(3)),
        n if n >= KIB.powi(2) => format!("{:.1} MiB", n / KIB.powi(2)),
        n if n >= KIB => format!("{:.1} KiB", n / KIB),
        n => format!("{n:.0} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        assert_eq!(short(7.4), "7");
        assert_eq!(short(12_340.0), "12.3k");
        assert_eq!(short(2_500_000.0), "2.50M");
        assert_eq!(bytes(512.0), "512 B");
        assert_eq!(bytes(1536.0), "1.5 KiB");
        assert_eq!(bytes(5.0 * 1024.0 * 1024.0), "5.0 MiB");
    }
}
