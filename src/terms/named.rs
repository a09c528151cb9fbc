/// Makes a plain enum. The first text of a variant is what `name` returns, and the second, if there
/// is one, its `Display`.
macro_rules! named {
    (
        $(#[$attribute:meta])*
        $kind:ident {
            $($(#[$of_variant:meta])* $variant:ident: $word:literal $(, $text:literal)?;)+
        }
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $kind {
            $($(#[$of_variant])* $variant,)+
        }

        impl $kind {
            /// The word for it, the same in spans, metrics, records and health.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        named!(@display $kind $($variant $($text)?,)+);
    };
    (@display $kind:ident $($variant:ident $text:literal,)+) => {
        impl $kind {
            pub(crate) const fn text(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }

        impl std::fmt::Display for $kind {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.text())
            }
        }
    };
    (@display $kind:ident $($variant:ident,)+) => {};
}
