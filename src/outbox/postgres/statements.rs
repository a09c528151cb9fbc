//! The SQL, for a schema.

macro_rules! statements {
    ($($name:ident)+) => {
        /// Every statement by the name of its file.
        pub(super) struct Statements {
            /// The schema's name, quoted.
            pub(super) schema: String,
            $(pub(super) $name: String,)+
        }

        impl Statements {
            /// # Panics
            ///
            /// If this is no name of a schema.
            pub(super) fn new(schema: &str) -> Self {
                let schema = quoted(schema);
                $(let $name = in_schema(include_str!(concat!("sql/", stringify!($name), ".sql")), &schema);)+
                Self { schema, $($name),+ }
            }
        }
    };
}

statements! {
    acts attempts batch browse by_id chosen count deadlines_over due due_heads due_plain enqueue erase erase_attempts erase_batches find free_keys held keep_request lane
    leases_over members move_seq
    move_to_end now order_lock pause paused prune reap_lock record_acts record_attempts resume stats tenant_chosen
    tenant_each tenant_heads tenant_lock tenant_near tenant_under_way update update_answers windows_over
}

/// The statement that stores a message.
pub(crate) const INSERT: &str = include_str!("sql/insert.sql");

/// The text for another schema than `outrigger`.
pub(crate) fn in_schema(sql: &str, quoted: &str) -> String {
    sql.replace("{unordered}", UNORDERED.trim())
        .replace("{heads}", HEADS.trim_end())
        .replace("{filter}", FILTER.trim_end())
        .replace("{named}", NAMED.trim_end())
        .replace("{is_head}", IS_HEAD.trim_end())
        .replace("{whole}", "{columns}, m.headers, m.body, m.batch_request")
        .replace("{content}", "{columns}, m.headers, m.body, NULL::bytea AS batch_request")
        .replace(
            "{plain}",
            "{columns}, ''::bytea AS headers, ''::bytea AS body, NULL::bytea AS batch_request",
        )
        .replace("{columns}", COLUMNS.trim_end())
        .replace("outrigger.", &format!("{quoted}."))
}

/// A schema's name in quotes.
///
/// # Panics
///
/// If it is empty, longer than PostgreSQL allows, or has other characters than letters, digits and `_`.
pub(crate) fn quoted(schema: &str) -> String {
    let is_name = schema.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    assert!(
        is_name && (1..=63).contains(&schema.len()),
        "a schema's name must be 1 to 63 letters, digits and `_`"
    );
    format!("\"{schema}\"")
}

/// What makes the tables, in order.
pub(super) fn migrations(schema: &str) -> Vec<String> {
    let quoted = quoted(schema);
    MIGRATIONS.iter().map(|sql| in_schema(sql, &quoted)).collect()
}

pub(super) const MIGRATIONS: &[&str] = &[
    include_str!("sql/migration_1.sql"),
    include_str!("sql/migration_2.sql"),
    include_str!("sql/migration_3.sql"),
    include_str!("sql/migration_4.sql"),
];
/// Of a message, without its headers, its body and a batch's request.
const COLUMNS: &str = include_str!("sql/columns.sql");
/// Those that are due without order keys, of one priority.
const UNORDERED: &str = include_str!("sql/unordered.sql");
/// The first open message of each order key.
const HEADS: &str = include_str!("sql/heads.sql");
/// What a filter asks for, but for its lane.
const FILTER: &str = include_str!("sql/filter.sql");
/// That a message has a name, with the parameters of a filter.
const NAMED: &str = include_str!("sql/named.sql");
/// That a message with an order key may be sent, with all parameters of `due`.
const IS_HEAD: &str = include_str!("sql/is_head.sql");
