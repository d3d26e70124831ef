//! Object storage: packs as objects of a bucket.

use crate::key::ArchiveKey;
use crate::reach::Reach;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path as Key;
use object_store::{BackoffConfig, Certificate, ClientOptions, ObjectStore, ObjectStoreExt, PutPayload, RetryConfig};
use plated_core::error::{Context, Error, Kind, Result};
use std::path::PathBuf;
use std::time::Duration;
use tokio::runtime::Handle;
use uuid::Uuid;

use super::super::batch::Picture;
use super::super::pack::{self, Pack};
use super::parts::HELD;

/// One request takes at most this long; a pack has up to 64 MiB.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// So long a request that failed is tried again; then the vehicle comes again.
const RETRY_TIMEOUT: Duration = Duration::from_secs(15);
const MAX_RETRIES: usize = 6;

/// How a bucket is reached.
#[derive(Clone)]
pub struct ObjectOptions {
    /// The bucket.
    pub bucket: String,
    /// URL of the storage; none for that of Amazon.
    pub endpoint: Option<String>,
    /// Its region.
    pub region: String,
    /// Id of the access key.
    pub key_id: String,
    /// The access key. Never shown.
    pub secret: String,
    /// PEM file of the authority of the storage's certificate; none for one that everybody trusts.
    pub ca: Option<PathBuf>,
}

impl std::fmt::Debug for ObjectOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ObjectOptions")
            .field("bucket", &self.bucket)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

/// The archive's place in a bucket.
pub(super) struct Objects {
    store: AmazonS3,
    /// Names the archive: what another one has in the same bucket is never touched.
    archive: Uuid,
    handle: Handle,
    reach: Reach,
}

impl Objects {
    pub fn open(options: &ObjectOptions, archive: Uuid, handle: Handle) -> Result<Self> {
        let config = |what: &str, e: &dyn std::fmt::Display| Error::new(Kind::Config, format!("archive.{what}: {e}"));
        let mut client = ClientOptions::new()
            .with_timeout(REQUEST_TIMEOUT)
            .with_connect_timeout(CONNECT_TIMEOUT)
            .with_allow_http(false);
        if let Some(endpoint) = &options.endpoint
            && let Some(rest) = endpoint.strip_prefix("http://")
        {
            let host = rest.split(['/', ':']).next().unwrap_or_default();
            if !["127.0.0.1", "localhost", "[::1]"].contains(&host) && !rest.starts_with("[::1]") {
                return Err(config("endpoint", &"object storage on another computer is reached by https:// only"));
            }
            client = client.with_allow_http(true);
        }
        if let Some(ca) = &options.ca {
            let failed = || format!("archive.object_ca: could not read {}", ca.display());
            let pem = std::fs::read(ca).context(Kind::Missing, failed)?;
            for certificate in Certificate::from_pem_bundle(&pem).map_err(|e| config("object_ca", &e))? {
                client = client.with_root_certificate(certificate);
            }
        }
        let retry =
            RetryConfig { backoff: BackoffConfig::default(), max_retries: MAX_RETRIES, retry_timeout: RETRY_TIMEOUT };
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&options.bucket)
            .with_region(&options.region)
            .with_access_key_id(&options.key_id)
            .with_secret_access_key(&options.secret)
            .with_client_options(client)
            .with_retry(retry);
        if let Some(endpoint) = &options.endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        let store = builder.build().map_err(|e| config("bucket", &e))?;
        Ok(Self { store, archive, handle, reach: Reach::of("object storage") })
    }

    /// Where the packs of a part lie.
    fn folder(&self, part: i32) -> Key {
        match part {
            HELD => Key::from(format!("{}/held", self.archive.simple())),
            _ => Key::from(format!("{}/parts/{part}", self.archive.simple())),
        }
    }

    /// Where a pack lies.
    pub fn key(&self, part: i32, pack: Uuid) -> Key {
        self.folder(part).join(format!("{}.pack", pack.simple()))
    }

    /// Writes a pack of these pictures. Durable on return.
    pub fn write<'a>(
        &self,
        part: i32,
        key: &ArchiveKey,
        pictures: impl IntoIterator<Item = &'a Picture>,
    ) -> Result<Pack> {
        let mut bytes = Vec::new();
        let pack = pack::seal(key, pictures, |piece| {
            bytes.extend_from_slice(piece);
            Ok(())
        })?;
        self.put(part, pack.id, bytes.into())?;
        Ok(pack)
    }

    /// Writes a pack as it is.
    pub fn put(&self, part: i32, pack: Uuid, bytes: Bytes) -> Result<()> {
        let put = self.handle.block_on(self.store.put(&self.key(part, pack), PutPayload::from_bytes(bytes)));
        self.reach.noted(put.map(drop).objects("write to"))
    }

    /// Bytes of a pack; none when it is not there or has none there.
    pub fn get(&self, part: i32, pack: Uuid, start: u64, bytes: u64) -> Result<Option<Bytes>> {
        match self.handle.block_on(self.store.get_range(&self.key(part, pack), start..start.saturating_add(bytes))) {
            Ok(found) if found.len() as u64 == bytes => Ok(Some(found)),
            Ok(_) | Err(object_store::Error::NotFound { .. }) => Ok(None),
            // A range behind the end is refused in many words.
            Err(_) if !self.is_there(part, pack, start.saturating_add(bytes))? => Ok(None),
            Err(e) => Err(e).objects("read from"),
        }
    }

    fn is_there(&self, part: i32, pack: Uuid, bytes: u64) -> Result<bool> {
        match self.handle.block_on(self.store.head(&self.key(part, pack))) {
            Ok(meta) => Ok(meta.size >= bytes),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(e) => Err(e).objects("read from"),
        }
    }

    /// Removes packs, as far as they are there.
    pub fn remove(&self, part: i32, packs: impl IntoIterator<Item = Uuid>) -> Result<()> {
        let keys: Vec<_> = packs.into_iter().map(|pack| Ok(self.key(part, pack))).collect();
        self.remove_keys(keys)
    }

    /// Removes all packs of a part but those that are `known`, what a crash left behind too; gives how many.
    pub fn remove_all_but(&self, part: i32, known: impl Fn(Uuid) -> bool) -> Result<u64> {
        let listed = self.store.list(Some(&self.folder(part))).map_ok(|meta| meta.location).try_collect::<Vec<_>>();
        let mut all = self.handle.block_on(listed).objects("list")?;
        all.retain(|key| {
            let name = key.filename().and_then(|name| name.strip_suffix(".pack"));
            !name.and_then(|id| Uuid::try_parse(id).ok()).is_some_and(&known)
        });
        let removed = all.len() as u64;
        self.remove_keys(all.into_iter().map(Ok).collect())?;
        Ok(removed)
    }

    /// Names the archive's place as one into which a backup is being put; what one that was cut off has left there is
    /// removed.
    ///
    /// # Errors
    /// `Refused` when something else is there.
    pub fn begin_restore(&self) -> Result<()> {
        let all = self.all()?;
        if !all.is_empty() && !all.contains(&self.unfinished()) {
            let message =
                "the bucket has packs of this archive already; make an empty one and name it in archive.bucket";
            return Err(Error::new(Kind::Refused, message));
        }
        self.clear()?;
        self.handle.block_on(self.store.put(&self.unfinished(), PutPayload::new())).map(drop).objects("write to")
    }

    /// All of a backup is there.
    pub fn end_restore(&self) -> Result<()> {
        self.remove_keys(vec![Ok(self.unfinished())])
    }

    /// Removes all that the archive has in the bucket.
    pub fn clear(&self) -> Result<()> {
        self.remove_keys(self.all()?.into_iter().map(Ok).collect())
    }

    fn all(&self) -> Result<Vec<Key>> {
        let folder = Key::from(self.archive.simple().to_string());
        let listed = self.store.list(Some(&folder)).map_ok(|meta| meta.location).try_collect::<Vec<_>>();
        self.handle.block_on(listed).objects("list")
    }

    fn unfinished(&self) -> Key {
        Key::from(format!("{}/restore.unfinished", self.archive.simple()))
    }

    fn remove_keys(&self, keys: Vec<object_store::Result<Key>>) -> Result<()> {
        let removing = self.store.delete_stream(futures_util::stream::iter(keys).boxed());
        let each = removing.try_for_each(|_| async { Ok(()) });
        match self.handle.block_on(each) {
            // One that is gone already is what was wanted.
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(e) => Err(e).objects("delete in"),
        }
    }
}

/// Puts an error of object storage under a sentence of ours.
trait ObjectContext<T> {
    fn objects(self, what: &str) -> Result<T>;
}

impl<T> ObjectContext<T> for object_store::Result<T> {
    fn objects(self, what: &str) -> Result<T> {
        use object_store::Error::{PermissionDenied, Unauthenticated};
        let kind = match &self {
            Err(PermissionDenied { .. } | Unauthenticated { .. }) => Kind::Config,
            _ => Kind::Network,
        };
        self.context(kind, || format!("could not {what} object storage"))
    }
}
