import de.bwaldvogel.mongo.MongoCollection;
import de.bwaldvogel.mongo.MongoDatabase;
import de.bwaldvogel.mongo.backend.CollectionOptions;
import de.bwaldvogel.mongo.backend.Index;
import de.bwaldvogel.mongo.backend.IndexKey;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import de.bwaldvogel.mongo.backend.h2.H2Database;
import java.util.List;
import org.h2.mvstore.MVStore;

/** The H2 backend with collections that use their indexes. Its files are those of H2Backend. */
final class IndexedBackend extends H2Backend {

  IndexedBackend(MVStore store) {
    super(store);
  }

  @Override
  protected MongoDatabase openOrCreateDatabase(String name) {
    return new IndexedDatabase(name);
  }

  /** An inner class: the constructor that it extends opens collections, and only the backend has the store by then. */
  private final class IndexedDatabase extends H2Database {

    IndexedDatabase(String name) {
      super(name, getMvStore(), getCursorRegistry());
    }

    @Override
    protected MongoCollection<Object> openOrCreateCollection(String name, CollectionOptions options) {
      String place = getFullCollectionNamespace(name);
      MVStore store = getMvStore();
      return new IndexedCollection(
          this, name, options, store.openMap("databases." + place), store.openMap("meta." + place), cursorRegistry);
    }

    @Override
    protected Index<Object> openOrCreateSecondaryIndex(String collection, String name, List<IndexKey> keys, boolean sparse) {
      return new SecondaryIndex(name, keys);
    }
  }
}
