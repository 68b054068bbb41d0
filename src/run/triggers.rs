//! Which backups the controller looks at, and when.

use crate::{
    api::AntflyBackup,
    observed::view_of,
    world::{BackupChange, ObjectKey, World, key_of},
};
use futures::{Stream, stream};
use kube::{
    ResourceExt,
    api::ObjectMeta,
    runtime::{
        reflector::{Store, store::Writer},
        watcher::Event,
    },
};
use serde::Deserialize;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// The name of a backup, as kube's controller wants it. What is known of the backup is in the [`World`].
#[derive(Clone, Debug, Deserialize)]
pub struct BackupName {
    metadata: ObjectMeta,
}

impl BackupName {
    fn new(key: &ObjectKey) -> Self {
        let ObjectKey { namespace, name } = key.clone();
        BackupName { metadata: ObjectMeta { name: Some(name), namespace: Some(namespace), ..Default::default() } }
    }

    /// Namespace and name.
    pub fn key(&self) -> ObjectKey {
        ObjectKey::new(&self.namespace().unwrap_or_default(), &self.name_any())
    }
}

view_of!(BackupName, AntflyBackup);

/// The world, and the way from a change in it to the controller.
pub struct Triggers {
    world: Mutex<World>,
    names: Mutex<Writer<BackupName>>,
    queue: Mutex<Option<UnboundedSender<BackupName>>>,
}

impl Triggers {
    /// An empty world of the watched namespaces (none: all). Nobody looks yet.
    pub fn new(namespaces: Vec<String>) -> Self {
        let mut names = Writer::new(());
        names.apply_watcher_event(&Event::Init);
        names.apply_watcher_event(&Event::InitDone);
        Triggers { world: Mutex::new(World::new(namespaces)), names: Mutex::new(names), queue: Mutex::default() }
    }

    /// The stream of backups to look at from now on: first all that there are, then those that something changes for.
    /// Nothing is kept for a stream that was dropped, or for one that there is not yet.
    pub fn begin(&self) -> impl Stream<Item = BackupName> + Send + use<> {
        let (queue, receiver) = unbounded_channel();
        *lock(&self.queue) = Some(queue);
        let all: Vec<_> = self.world().backups().map(|backup| key_of(backup)).collect();
        self.look_at(all);
        stream_of(receiver)
    }

    /// The world. Keep it for as short as it takes.
    pub fn world(&self) -> MutexGuard<'_, World> {
        lock(&self.world)
    }

    /// Which backups there are, for the controller.
    pub fn reader(&self) -> Store<BackupName> {
        lock(&self.names).as_reader()
    }

    /// Passes changes of backups on.
    pub fn backups_changed(&self, changes: Vec<BackupChange>) {
        for change in changes {
            match change {
                BackupChange::Changed(key) => {
                    let name = BackupName::new(&key);
                    lock(&self.names).apply_watcher_event(&Event::Apply(name.clone()));
                    self.send(name);
                }
                BackupChange::Gone(key) => {
                    lock(&self.names).apply_watcher_event(&Event::Delete(BackupName::new(&key)));
                }
            }
        }
    }

    /// Has backups looked at for a change of something else. Names of backups that do not exist lead nowhere.
    pub fn look_at(&self, keys: impl IntoIterator<Item = ObjectKey>) {
        let world = self.world();
        for key in keys.into_iter().filter(|key| world.has(key)) {
            self.send(BackupName::new(&key));
        }
    }

    fn send(&self, name: BackupName) {
        if let Some(queue) = lock(&self.queue).as_ref() {
            let _ = queue.send(name); // fails when the controller has ended, and with it the use of telling it
        }
    }
}

/// A poisoned lock is as good as any: no invariant spans a panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn stream_of<T: Send>(receiver: UnboundedReceiver<T>) -> impl Stream<Item = T> + Send {
    stream::unfold(receiver, |mut receiver| async move { receiver.recv().await.map(|item| (item, receiver)) })
}
