import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import java.util.List;
import org.h2.mvstore.MVStore;

/** mongo-java-server on H2 files. Arguments: address, port, database file. Ends on SIGTERM after closing its files. */
public final class MongoServerMain {

  private static final int CACHE_MB = 256;

  /** The server itself reports wire version 8, which current drivers refuse although they ask nothing of it that it lacks. */
  private static final class Version5 implements MongoVersion {
    @Override
    public List<Integer> getVersionArray() {
      return List.of(5, 0, 0);
    }

    @Override
    public int getWireVersion() {
      return 13;
    }
  }

  public static void main(String[] arguments) throws InterruptedException {
    // What compacts the file would take as much of the machine as what is asked of it; whole dead chunks are freed all the same.
    MVStore store = new MVStore.Builder().fileName(arguments[2]).cacheSize(CACHE_MB).autoCompactFillRate(0).open();
    IndexedBackend backend = new IndexedBackend(store);
    backend.version(new Version5());
    MongoServer server = new MongoServer(backend);
    Runtime.getRuntime().addShutdownHook(new Thread(server::shutdownNow));
    server.bind(arguments[0], Integer.parseInt(arguments[1]));
    Thread.currentThread().join();
  }
}
