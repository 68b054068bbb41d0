//! What the operator may do at most, and what people may do with AntflyBackups, as `deploy/` says both.

mod attacks;
mod attempt;
mod kustomized;
mod parameter;
mod people;
