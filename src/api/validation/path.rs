//! Places in an object.

use std::fmt;

/// A place in an object, as a walk through it arrives there.
#[derive(Clone, Copy)]
pub struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    segment: Segment<'a>,
}

#[derive(Clone, Copy)]
enum Segment<'a> {
    Root,
    Field(&'a str),
    RequiredField(&'a str),
    Index(usize),
}

impl<'a> Path<'a> {
    /// The whole object.
    pub const ROOT: Path<'static> = Path { parent: None, segment: Segment::Root };

    /// The field of that name, without which an object is not valid.
    pub fn required_field(&'a self, name: &'a str) -> Path<'a> {
        Path { parent: Some(self), segment: Segment::RequiredField(name) }
    }

    /// The field of that name.
    pub fn field(&'a self, name: &'a str) -> Path<'a> {
        Path { parent: Some(self), segment: Segment::Field(name) }
    }

    /// The item at that index.
    pub fn index(&'a self, index: usize) -> Path<'a> {
        Path { parent: Some(self), segment: Segment::Index(index) }
    }

    /// Returns how many steps lead to the smallest part that may be left out: the place itself, or the object around a required
    /// field.
    pub fn steps_to_what_may_be_left_out(self) -> usize {
        match (self.segment, self.parent) {
            (Segment::RequiredField(_), Some(parent)) => parent.steps_to_what_may_be_left_out(),
            (_, Some(parent)) => parent.steps() + 1,
            (_, None) => 0,
        }
    }

    fn steps(self) -> usize {
        self.parent.map_or(0, |parent| parent.steps() + 1)
    }

    /// Returns the place, to be kept.
    pub fn to_field_path(self) -> FieldPath {
        let mut path = self.parent.map(|parent| parent.to_field_path()).unwrap_or_default();
        match self.segment {
            Segment::Root => {}
            Segment::Field(name) | Segment::RequiredField(name) => path.0.push(Step::Field(name.to_owned())),
            Segment::Index(index) => path.0.push(Step::Index(index)),
        }
        path
    }
}

/// A place in an object, such as `spec.tables[2]`; the whole object by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldPath(Vec<Step>);

/// One step from an object or a list to what is in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// To the field of that name.
    Field(String),
    /// To the item at that index.
    Index(usize),
}

impl FieldPath {
    /// The place that is reached by those fields, one inside the other.
    pub fn of(fields: &[&str]) -> Self {
        FieldPath(fields.iter().map(|name| Step::Field((*name).to_owned())).collect())
    }

    /// Returns the steps, the outermost first.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Returns the steps from the field that those fields lead to; `None` if the place is outside it.
    pub fn below(&self, fields: &[&str]) -> Option<&[Step]> {
        let (outer, rest) = self.0.split_at_checked(fields.len())?;
        let is_same = |(step, name): (&Step, &&str)| matches!(step, Step::Field(field) if field == name);
        outer.iter().zip(fields).all(is_same).then_some(rest)
    }

    /// Whether the place is that field, or inside it.
    pub fn is_within(&self, fields: &[&str]) -> bool {
        self.below(fields).is_some()
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            match step {
                Step::Field(name) if at == 0 => out.write_str(name)?,
                Step::Field(name) => write!(out, ".{name}")?,
                Step::Index(index) => write!(out, "[{index}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_within_the_fields_that_lead_to_it_and_no_others() {
        let spec = Path::ROOT.field("spec");
        let place = spec.field("scheduleWindow").to_field_path();
        assert!(place.is_within(&["spec"]) && place.is_within(&["spec", "scheduleWindow"]));
        assert!(!place.is_within(&["spec", "schedule"]), "a name that begins alike");
        assert!(!place.is_within(&["spec", "scheduleWindow", "from"]));
    }

    #[test]
    fn with_a_required_field_the_object_around_it_is_left_out() {
        let status = Path::ROOT.field("status");
        let records = status.field("recentBackups");
        let record = records.index(2);
        assert_eq!(record.field("error").steps_to_what_may_be_left_out(), 4);
        assert_eq!(record.required_field("backupId").steps_to_what_may_be_left_out(), 3);
        assert_eq!(record.required_field("a").required_field("b").steps_to_what_may_be_left_out(), 3);
        assert_eq!(Path::ROOT.required_field("spec").steps_to_what_may_be_left_out(), 0);
    }

    #[test]
    fn a_place_is_written_as_users_write_it() {
        let (spec, name) = (Path::ROOT.field("spec"), "a.b/c");
        assert_eq!(spec.field("tables").index(2).to_field_path().to_string(), "spec.tables[2]");
        assert_eq!(spec.field(name).to_field_path().steps()[1], Step::Field(name.to_owned()), "one step");
        assert_eq!(Path::ROOT.to_field_path().to_string(), "");
    }
}
