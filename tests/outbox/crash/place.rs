use std::path::PathBuf;

use outrigger::outbox::rusqlite::Connection;
use outrigger::outbox::{Lane, Outbox};

#[cfg(feature = "postgres")]
use crate::postgres::Schema;
use crate::sqlite::Folder;

/// Where the outbox of several processes is, beside a table of charges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Sqlite(PathBuf),
    #[cfg(feature = "postgres")]
    Postgres {
        at: String,
        schema: String,
    },
}

/// How many rows there are at the end.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Books {
    pub(super) messages: i64,
    pub(super) delivered: i64,
    pub(super) charges: i64,
    /// Of how many messages.
    pub(super) charged: i64,
}

impl Place {
    pub(super) fn sqlite(folder: &Folder) -> Self {
        let file = Connection::open(folder.file()).unwrap();
        file.execute_batch("CREATE TABLE charges (message TEXT)").unwrap();
        Self::Sqlite(folder.file())
    }

    #[cfg(feature = "postgres")]
    pub(super) async fn postgres(schema: &Schema) -> Self {
        schema.run("CREATE TABLE outrigger.charges (message text)").await;
        Self::Postgres { at: schema.server.connection_string(), schema: schema.name.clone() }
    }

    /// For another process.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Sqlite(file) => format!("sqlite {}", file.display()),
            #[cfg(feature = "postgres")]
            Self::Postgres { at, schema } => format!("{schema} {at}"),
        }
    }

    pub(super) fn of_text(text: &str) -> Self {
        match text.split_once(' ').expect("two words") {
            ("sqlite", file) => Self::Sqlite(file.into()),
            #[cfg(feature = "postgres")]
            (schema, at) => Self::Postgres { at: at.into(), schema: schema.into() },
            #[cfg(not(feature = "postgres"))]
            (other, _) => panic!("no store is named {other}"),
        }
    }

    /// An outbox whose lane, if it has one, writes a charge for each delivered message, and then calls this.
    pub(super) fn outbox(&self, lane: Option<Lane>, charged: fn()) -> Outbox {
        match self {
            Self::Sqlite(file) => {
                let outbox = Outbox::sqlite(file);
                let Some(lane) = lane else { return outbox.build().unwrap() };
                let outbox = outbox.lane(lane).on_delivered("mailer", move |tx, message, _| {
                    let insert = "INSERT INTO charges VALUES (?1)";
                    tx.execute(insert, [message.content.id.to_string()])?;
                    charged();
                    Ok(())
                });
                outbox.build().unwrap()
            }
            #[cfg(feature = "postgres")]
            Self::Postgres { at, schema } => {
                let store = outrigger::outbox::postgres::PostgresStore::no_tls(at).unwrap();
                let outbox = Outbox::postgres(store.schema(schema));
                let Some(lane) = lane else { return outbox.build().unwrap() };
                let insert = format!("INSERT INTO {schema}.charges VALUES ($1)");
                let outbox = outbox.lane(lane).on_delivered("mailer", move |tx, message, _| {
                    let insert = insert.clone();
                    Box::pin(async move {
                        tx.execute(&insert, &[&message.content.id.to_string()]).await?;
                        charged();
                        Ok(())
                    })
                });
                outbox.build().unwrap()
            }
        }
    }

    pub(super) async fn books(&self) -> Books {
        let count = |prefix: &str, charges: &str| {
            format!(
                "SELECT (SELECT count(*) FROM {prefix}message),
                    (SELECT count(*) FROM {prefix}message WHERE state = 'delivered'),
                    (SELECT count(*) FROM {charges}), (SELECT count(DISTINCT message) FROM {charges})"
            )
        };
        let [messages, delivered, charges, charged] = match self {
            Self::Sqlite(file) => {
                let file = Connection::open(file).unwrap();
                let columns = |row: &outrigger::outbox::rusqlite::Row<'_>| {
                    Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?])
                };
                file.query_row(&count("outrigger_", "charges"), [], columns).unwrap()
            }
            #[cfg(feature = "postgres")]
            Self::Postgres { at, schema } => {
                let client = crate::postgres::connect(at).await;
                let sql = count(&format!("{schema}."), &format!("{schema}.charges"));
                let row = client.query_one(&sql, &[]).await.unwrap();
                [row.get(0), row.get(1), row.get(2), row.get(3)]
            }
        };
        Books { messages, delivered, charges, charged }
    }
}
