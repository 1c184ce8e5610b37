// SPDX-License-Identifier: Apache-2.0

//! The same answers as asnd by axum, tokio-postgres and deadpool: one pool, statements from its cache, rows read into structs, serde_json.

mod rows;
mod types;

use std::{collections::HashMap, env, sync::Arc};

use axum::{
    extract::{Json, Path, Request, State},
    http::{header::AUTHORIZATION, StatusCode},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
    Router,
};
use axum_extra::extract::Query;
use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio_postgres::{types::ToSql, NoTls};
use uuid::Uuid;

use rows::{Asn, Enrolment, FromRow, Large, Minimal, Nested, Params, ParamsNew, Perf, Post, PostNew};

struct Server {
    pool: Pool,
    statements: HashMap<String, String>,
    key_hash: Vec<u8>,
}

type Shared = State<Arc<Server>>;
type Argument<'a> = &'a (dyn ToSql + Sync);

#[derive(Serialize)]
struct Page {
    next: Option<String>,
}

#[derive(Serialize)]
struct List<T> {
    data: Vec<T>,
    page: Page,
}

/// What went wrong on our side; a request's own faults are refused by the extractors.
struct Failure(Box<dyn std::error::Error + Send + Sync>);

impl<E: Into<Box<dyn std::error::Error + Send + Sync>>> From<E> for Failure {
    fn from(error: E) -> Self {
        Failure(error.into())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        eprintln!("{}", self.0);
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
}

impl Server {
    async fn many<T: FromRow>(&self, name: &str, arguments: &[Argument<'_>]) -> Result<Vec<T>, Failure> {
        let client = self.pool.get().await?;
        let statement = client.prepare_cached(&self.statements[name]).await?;
        client.query(&statement, arguments).await?.iter().map(|row| Ok(T::from_row(row)?)).collect()
    }

    async fn one<T: FromRow>(&self, name: &str, arguments: &[Argument<'_>]) -> Result<Option<T>, Failure> {
        let client = self.pool.get().await?;
        let statement = client.prepare_cached(&self.statements[name]).await?;
        Ok(client.query_opt(&statement, arguments).await?.as_ref().map(T::from_row).transpose()?)
    }

    async fn answer<T: FromRow + Serialize>(&self, name: &str, arguments: &[Argument<'_>]) -> Result<Response, Failure> {
        Ok(match self.one::<T>(name, arguments).await? {
            Some(row) => Json(row).into_response(),
            None => StatusCode::NOT_FOUND.into_response(),
        })
    }

    async fn whole<T: FromRow + Serialize>(&self, name: &str, arguments: &[Argument<'_>]) -> Result<Response, Failure> {
        let data = self.many::<T>(name, arguments).await?;
        Ok(Json(List { data, page: Page { next: None } }).into_response())
    }
}

/// Asks for the API key, of which only the hash is known. Every byte is looked at.
async fn guard(State(server): Shared, request: Request, next: Next) -> Response {
    let header = request.headers().get(AUTHORIZATION).map_or(&b""[..], |value| value.as_bytes());
    let hash = Sha256::digest(header.strip_prefix(b"Bearer ").unwrap_or_default());
    let differing = hash.iter().zip(&server.key_hash).fold(0, |sum, (a, b)| sum | (a ^ b));
    if differing != 0 {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    next.run(request).await
}

async fn get_asn(State(server): Shared, Path(nip): Path<String>) -> Result<Response, Failure> {
    server.answer::<Asn>("getAsn", &[&nip]).await
}

async fn list_asn(State(server): Shared) -> Result<Response, Failure> {
    let mut data = server.many::<Asn>("listAsn", &[]).await?;
    let next = (data.len() > 50).then(|| data[49].nip.clone());
    data.truncate(50);
    Ok(Json(List { data, page: Page { next } }).into_response())
}

#[derive(Deserialize)]
struct EnrolmentNew {
    session_id: Uuid,
    nip: String,
}

async fn create_enrolment(State(server): Shared, Json(body): Json<serde_json::Value>) -> Result<Response, Failure> {
    let Ok(new) = EnrolmentNew::deserialize(&body) else {
        return Ok(StatusCode::BAD_REQUEST.into_response());
    };
    let made = server.one::<Enrolment>("createEnrolment", &[&new.session_id, &new.nip, &body]).await?;
    Ok(match made.ok_or("no answer")? {
        Enrolment { problem: Some(code), .. } => (StatusCode::CONFLICT, code).into_response(),
        made => (StatusCode::CREATED, Json(made)).into_response(),
    })
}

// ── the public workload ──

#[derive(Deserialize)]
struct Records {
    records: i32,
}

#[derive(Deserialize)]
struct Depth {
    depth: i32,
}

#[derive(Deserialize)]
struct Kilobytes {
    kilobytes: i32,
}

async fn perf_test(State(server): Shared, Query(query): Query<Records>) -> Result<Response, Failure> {
    if !(1..=500).contains(&query.records) {
        return Ok(StatusCode::BAD_REQUEST.into_response());
    }
    server.whole::<Perf>("perfTest", &[&query.records]).await
}

async fn minimal(State(server): Shared) -> Result<Response, Failure> {
    server.answer::<Minimal>("minimal", &[]).await
}

async fn post_back(State(server): Shared, Json(new): Json<PostNew>) -> Result<Response, Failure> {
    server.answer::<Post>("post", &[&new.name, &new.count, &new.price, &new.active, &new.tags]).await
}

async fn nested(State(server): Shared, Query(query): Query<Depth>) -> Result<Response, Failure> {
    if !(1..=3).contains(&query.depth) {
        return Ok(StatusCode::BAD_REQUEST.into_response());
    }
    server.whole::<Nested>("nested", &[&query.depth]).await
}

async fn large(State(server): Shared, Query(query): Query<Kilobytes>) -> Result<Response, Failure> {
    if !(1..=500).contains(&query.kilobytes) {
        return Ok(StatusCode::BAD_REQUEST.into_response());
    }
    server.answer::<Large>("large", &[&query.kilobytes]).await
}

async fn params(State(server): Shared, Query(new): Query<ParamsNew>) -> Result<Response, Failure> {
    let Ok(json) = serde_json::from_str::<serde_json::Value>(&new.p_json) else {
        return Ok(StatusCode::BAD_REQUEST.into_response());
    };
    server
        .answer::<Params>(
            "params",
            &[
                &new.p_text, &new.p_short, &new.p_int, &new.p_bigint, &new.p_numeric, &new.p_real, &new.p_double, &new.p_bool, &new.p_date,
                &new.p_time, &new.p_timetz, &new.p_timestamp, &new.p_timestamptz, &new.p_interval, &new.p_uuid, &json, &new.p_ints,
                &new.p_texts, &new.p_bools, &new.p_dates,
            ],
        )
        .await
}

async fn serve() -> Result<(), Box<dyn std::error::Error>> {
    let connections: usize = env::var("BENCH_CONNECTIONS")?.parse()?;
    let config: tokio_postgres::Config = env::var("BENCH_DATABASE")?.parse()?;
    let manager = Manager::from_config(config, NoTls, ManagerConfig { recycling_method: RecyclingMethod::Fast });
    let server = Arc::new(Server {
        pool: Pool::builder(manager).max_size(connections).build()?,
        statements: serde_json::from_slice(&std::fs::read(env::var("BENCH_STATEMENTS")?)?)?,
        key_hash: hex::decode(env::var("BENCH_KEY_HASH")?)?,
    });
    let app = Router::new()
        .route("/v1/asn/{nip}", get(get_asn))
        .route("/v1/asn", get(list_asn))
        .route("/v1/enrolments", post(create_enrolment))
        .route_layer(middleware::from_fn_with_state(server.clone(), guard))
        .route("/livez", get(|| async { Json(serde_json::json!({"status": "alive"})) }))
        .route("/perf-test", get(perf_test))
        .route("/minimal", get(minimal))
        .route("/post", post(post_back))
        .route("/nested", get(nested))
        .route("/large", get(large))
        .route("/params", get(params))
        .with_state(server);
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{}", env::var("BENCH_PORT")?)).await?;
    axum::serve(listener, app).await?;
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let threads: usize = env::var("BENCH_PROCESSES")?.parse()?;
    tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()?.block_on(serve())
}
