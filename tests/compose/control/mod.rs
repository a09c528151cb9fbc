//! What is seen and steered from outside, by name.

mod controls;
mod health;
mod registry;
