//! What is seen and steered from outside, by name.

mod health;
mod levers;
mod registry;
