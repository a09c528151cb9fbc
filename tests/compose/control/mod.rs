//! What is seen and controlled from outside, by name.

mod controls;
mod health;
mod registry;
mod wired;
