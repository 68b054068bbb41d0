//! An image of one layer as an archive: in the OCI image layout
//! (<https://github.com/opencontainers/image-spec/blob/main/image-layout.md>), which containerd, podman and skopeo read, with
//! the `manifest.json` beside it that `docker load` needs. The same image always results in the same bytes.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufWriter, Write},
    path::Path,
    str::FromStr,
};

use anyhow::{Context, Result};
use flate2::{Compression, GzBuilder};
use k8s_openapi::jiff::Timestamp;
use oci_spec::image::{
    Arch, ConfigBuilder, Descriptor, DescriptorBuilder, HistoryBuilder, ImageConfigurationBuilder, ImageIndexBuilder,
    ImageManifestBuilder, MediaType, OciLayoutBuilder, Os, PlatformBuilder, RootFsBuilder, Sha256Digest,
};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::platform::Platform;

/// A file of an image.
#[derive(Clone, Debug)]
pub struct ImageFile {
    /// Path from the root, without a leading slash.
    pub path: String,
    /// Permissions.
    pub mode: u32,
    /// What it holds.
    pub content: Vec<u8>,
}

/// An image of one layer on nothing.
#[derive(Clone, Debug)]
pub struct Image {
    /// Name with tag, such as `example.com/antfly:v1`.
    pub reference: String,
    /// What it runs on.
    pub platform: Platform,
    /// When it was made: of the image and of all its files.
    pub created: Timestamp,
    /// Command.
    pub entrypoint: Vec<String>,
    /// Numeric user and group.
    pub user: Option<String>,
    /// Environment, `NAME=VALUE` each.
    pub environment: Vec<String>,
    /// Annotations, of the configuration and of the manifest.
    pub labels: BTreeMap<String, String>,
    /// Its files; the directories that they need are made.
    pub files: Vec<ImageFile>,
}

/// A piece of the archive, which is named by its digest.
struct Blob {
    descriptor: Descriptor,
    content: Vec<u8>,
}

impl Image {
    /// Writes the archive. Returns the digest of the manifest, `sha256:…`, by which registries name the image.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, archive: &Path) -> Result<String> {
        let what = || format!("write the image {} to {}", self.reference, archive.display());
        let uncompressed = self.layer()?;
        // Neither name nor time in the header; the platform byte is the same everywhere.
        let mut encoder = GzBuilder::new().operating_system(255).write(Vec::new(), Compression::best());
        encoder.write_all(&uncompressed)?;
        let layer = blob(MediaType::ImageLayerGzip, encoder.finish()?)?;
        let configuration = blob(MediaType::ImageConfig, canonical(&self.configuration(&uncompressed)?)?)?;
        let manifest = ImageManifestBuilder::default()
            .schema_version(2_u32)
            .media_type(MediaType::ImageManifest)
            .config(configuration.descriptor.clone())
            .layers([layer.descriptor.clone()])
            .annotations(self.labels.clone().into_iter().collect::<std::collections::HashMap<_, _>>())
            .build()?;
        let manifest = blob(MediaType::ImageManifest, canonical(&manifest)?)?;
        let digest = manifest.descriptor.digest().to_string();

        let mut files = vec![
            ("index.json".to_owned(), canonical(&self.index(&manifest.descriptor)?)?),
            ("manifest.json".to_owned(), canonical(&self.docker_manifest(&configuration, &layer))?),
            ("oci-layout".to_owned(), canonical(&OciLayoutBuilder::default().image_layout_version("1.0.0").build()?)?),
        ];
        files.extend([configuration, layer, manifest].map(|blob| (blob.path(), blob.content)));
        let mut tar = tar::Builder::new(BufWriter::new(File::create(archive).with_context(what)?));
        for (path, content) in files {
            append(&mut tar, &path, 0o644, &content, self.created).with_context(what)?;
        }
        tar.into_inner().and_then(|mut file| file.flush()).with_context(what)?;
        Ok(digest)
    }

    /// Returns the layer, sorted by path.
    fn layer(&self) -> Result<Vec<u8>> {
        let mut entries: BTreeMap<String, Option<&ImageFile>> = BTreeMap::new();
        for file in &self.files {
            let parents = file.path.match_indices('/').map(|(end, _)| (format!("{}/", &file.path[..end]), None));
            entries.extend(parents);
            entries.insert(file.path.clone(), Some(file));
        }
        let mut tar = tar::Builder::new(Vec::new());
        for (path, file) in entries {
            match file {
                Some(file) => append(&mut tar, &path, file.mode, &file.content, self.created)?,
                None => append(&mut tar, &path, 0o755, &[], self.created)?,
            }
        }
        Ok(tar.into_inner()?)
    }

    fn configuration(&self, layer: &[u8]) -> Result<impl Serialize + use<>> {
        let mut config = ConfigBuilder::default()
            .entrypoint(self.entrypoint.clone())
            .env(self.environment.clone())
            .working_dir("/")
            .labels(self.labels.clone().into_iter().collect::<std::collections::HashMap<_, _>>());
        if let Some(user) = &self.user {
            config = config.user(user);
        }
        let created = self.created.to_string();
        let history = HistoryBuilder::default().created(&created).created_by("cargo xtask image").build()?;
        Ok(ImageConfigurationBuilder::default()
            .created(&created)
            .architecture(Arch::from(self.platform.architecture()))
            .os(Os::Linux)
            .config(config.build()?)
            .rootfs(RootFsBuilder::default().typ("layers").diff_ids([format!("sha256:{}", sha256(layer))]).build()?)
            .history([history])
            .build()?)
    }

    fn index(&self, manifest: &Descriptor) -> Result<impl Serialize + use<>> {
        let tag = self.reference.rsplit_once(':').map_or("latest", |(_, tag)| tag);
        let annotations = [("org.opencontainers.image.ref.name", tag), ("io.containerd.image.name", &self.reference)];
        let mut manifest = manifest.clone();
        manifest.set_platform(Some(
            PlatformBuilder::default().os(Os::Linux).architecture(Arch::from(self.platform.architecture())).build()?,
        ));
        manifest.set_annotations(Some(annotations.map(|(name, value)| (name.to_owned(), value.to_owned())).into()));
        Ok(ImageIndexBuilder::default()
            .schema_version(2_u32)
            .media_type(MediaType::ImageIndex)
            .manifests([manifest])
            .build()?)
    }

    fn docker_manifest(&self, configuration: &Blob, layer: &Blob) -> Value {
        json!([{"Config": configuration.path(), "RepoTags": [self.reference], "Layers": [layer.path()]}])
    }
}

impl Blob {
    fn path(&self) -> String {
        format!("blobs/sha256/{}", self.descriptor.digest().digest())
    }
}

fn blob(media_type: MediaType, content: Vec<u8>) -> Result<Blob> {
    let descriptor = DescriptorBuilder::default()
        .media_type(media_type)
        .size(content.len() as u64)
        .digest(Sha256Digest::from_str(&sha256(&content))?)
        .build()?;
    Ok(Blob { descriptor, content })
}

fn sha256(content: &[u8]) -> String {
    hex::encode(Sha256::digest(content))
}

/// Returns JSON whose members are sorted: the maps of the types have no order of their own.
fn canonical(value: &impl Serialize) -> Result<Vec<u8>> {
    let mut value = serde_json::to_value(value)?;
    value.sort_all_objects();
    Ok(serde_json::to_vec(&value)?)
}

/// Appends a file, or a directory if the path ends with a slash. It belongs to root, and a second build writes the same.
fn append<W: Write>(
    tar: &mut tar::Builder<W>,
    path: &str,
    mode: u32,
    content: &[u8],
    time: Timestamp,
) -> std::io::Result<()> {
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(if path.ends_with('/') { tar::EntryType::Directory } else { tar::EntryType::Regular });
    header.set_mode(mode);
    header.set_mtime(u64::try_from(time.as_second()).unwrap_or(0));
    header.set_size(content.len() as u64);
    tar.append_data(&mut header, path, content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::HashMap, io::Read};

    fn image() -> Image {
        Image {
            reference: "example.com/heron:v2".into(),
            platform: Platform::LinuxArm64,
            created: "2026-11-25T00:00:00Z".parse().unwrap(),
            entrypoint: vec!["/heron".into()],
            user: Some("65532:65532".into()),
            environment: vec!["NEST=reeds".into()],
            labels: (0..20).map(|number| (format!("label-{number}"), number.to_string())).collect(),
            files: vec![
                ImageFile { path: "heron".into(), mode: 0o755, content: b"a bird".into() },
                ImageFile { path: "etc/nests/one".into(), mode: 0o644, content: b"reeds".into() },
            ],
        }
    }

    fn entries(archive: &[u8]) -> HashMap<String, Vec<u8>> {
        let mut archive = tar::Archive::new(archive);
        let entries = archive.entries().unwrap().map(|entry| {
            let mut entry = entry.unwrap();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            (entry.path().unwrap().to_string_lossy().into_owned(), content)
        });
        entries.collect()
    }

    fn json(content: &[u8]) -> Value {
        serde_json::from_slice(content).unwrap()
    }

    #[test]
    fn an_image_is_the_same_bytes_each_time() {
        let directory = tempfile::tempdir().unwrap();
        let [one, other] = ["one", "other"].map(|name| {
            let path = directory.path().join(name);
            let digest = image().write(&path).unwrap();
            (digest, std::fs::read(path).unwrap())
        });
        assert!(one == other, "two builds differ");
    }

    #[test]
    fn each_piece_is_found_under_its_digest_down_to_the_files() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("image.tar");
        let digest = image().write(&path).unwrap();
        let archive = entries(&std::fs::read(path).unwrap());
        let blob = |descriptor: &Value| {
            let digest = descriptor["digest"].as_str().unwrap().trim_start_matches("sha256:");
            let content = &archive[&format!("blobs/sha256/{digest}")];
            assert_eq!(sha256(content), digest);
            assert_eq!(descriptor["size"], content.len());
            content.clone()
        };
        let index = json(&archive["index.json"]);
        let of_image = &index["manifests"][0];
        assert_eq!(of_image["digest"], *digest);
        assert_eq!(of_image["annotations"]["io.containerd.image.name"], "example.com/heron:v2");
        assert_eq!(of_image["annotations"]["org.opencontainers.image.ref.name"], "v2");
        assert_eq!(of_image["platform"], json!({"os": "linux", "architecture": "arm64"}));
        assert_eq!(json(&archive["oci-layout"]), json!({"imageLayoutVersion": "1.0.0"}));

        let manifest = json(&blob(of_image));
        let configuration = json(&blob(&manifest["config"]));
        assert_eq!(configuration["config"]["Entrypoint"], json!(["/heron"]));
        assert_eq!(configuration["config"]["User"], "65532:65532");
        assert_eq!(configuration["config"]["Env"], json!(["NEST=reeds"]));
        assert_eq!(configuration["config"]["Labels"]["label-7"], "7");
        assert_eq!(configuration["created"], "2026-11-25T00:00:00Z");

        let mut layer = Vec::new();
        flate2::read::GzDecoder::new(blob(&manifest["layers"][0]).as_slice()).read_to_end(&mut layer).unwrap();
        assert_eq!(configuration["rootfs"]["diff_ids"], json!([format!("sha256:{}", sha256(&layer))]));
        let files = entries(&layer);
        assert_eq!((files["heron"].as_slice(), files["etc/nests/one"].as_slice()), (&b"a bird"[..], &b"reeds"[..]));
        assert!(files.contains_key("etc/") && files.contains_key("etc/nests/"), "{:?}", files.keys());

        let docker = &json(&archive["manifest.json"])[0];
        for path in [&docker["Config"], &docker["Layers"][0]] {
            assert!(archive.contains_key(path.as_str().unwrap()), "{path}");
        }
    }
}
