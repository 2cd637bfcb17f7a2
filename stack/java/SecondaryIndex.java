import de.bwaldvogel.mongo.MongoCollection;
import de.bwaldvogel.mongo.backend.Index;
import de.bwaldvogel.mongo.backend.IndexKey;
import de.bwaldvogel.mongo.backend.Missing;
import de.bwaldvogel.mongo.backend.Utils;
import de.bwaldvogel.mongo.backend.ValueComparator;
import de.bwaldvogel.mongo.bson.Document;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentNavigableMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.stream.Stream;

/** An ordered index that is not unique, kept in memory and filled anew when its collection is opened. An array has an entry an element. */
final class SecondaryIndex extends Index<Object> {

  /** Values of the index's keys, then the document's id: so that no two entries are the same. */
  private final ConcurrentNavigableMap<List<Object>, Object> entries = new ConcurrentSkipListMap<>(this::compare);
  private final List<Comparator<Object>> orders;

  /** Sparse to its collection, which takes that for: a document may be in none of its entries. */
  SecondaryIndex(String name, List<IndexKey> keys) {
    super(name, keys, true);
    this.orders = keys.stream().map(SecondaryIndex::orderOf).toList();
  }

  private static Comparator<Object> orderOf(IndexKey key) {
    return key.isAscending() ? ValueComparator.asc() : ValueComparator.desc();
  }

  /** A shorter list comes before those that it begins. */
  private int compare(List<Object> a, List<Object> b) {
    for (int i = 0; i < Math.min(a.size(), b.size()); i++) {
      Comparator<Object> order = i < orders.size() ? orders.get(i) : ValueComparator.asc();
      int result = order.compare(a.get(i), b.get(i));
      if (result != 0) return result;
    }
    return Integer.compare(a.size(), b.size());
  }

  /** Ids of the documents whose first values are these, in the order of the index; of the next value only what lies in the range. */
  Stream<Object> idsOf(List<Object> first, Range next) {
    List<Object> begin = next == null ? first : with(first, next.from());
    return entries.tailMap(begin, true).entrySet().stream()
        .takeWhile(entry -> compare(entry.getKey().subList(0, first.size()), first) == 0)
        .takeWhile(entry -> next == null || next.to() == null || isUpTo(entry.getKey(), first.size(), next.to()))
        .map(Map.Entry::getValue);
  }

  private boolean isUpTo(List<Object> row, int at, Object last) {
    return orders.get(at).compare(row.get(at), last) <= 0;
  }

  /** Values of an ascending key, both ends included; without an end where `to` is null. */
  record Range(Object from, Object to) {}

  /** The values of a document, each array's element by itself. What is absent, or an array without elements, is null. */
  private List<List<Object>> rowsOf(Document document, Object id) {
    List<List<Object>> rows = List.of(List.of());
    for (String path : keys()) {
      Object value = Utils.getSubdocumentValueCollectionAware(document, path);
      boolean isSeveral = value instanceof Collection<?> several && !several.isEmpty();
      Collection<?> values = isSeveral ? (Collection<?>) value : Collections.singletonList(value);
      rows = rows.stream().flatMap(row -> values.stream().map(each -> with(row, each))).toList();
    }
    return rows.stream().map(row -> with(row, id)).toList();
  }

  private static List<Object> with(List<Object> row, Object value) {
    List<Object> longer = new ArrayList<>(row);
    longer.add(value instanceof Missing || value instanceof Collection ? null : value);
    return longer;
  }

  @Override
  public void add(Document document, Object position, MongoCollection<Object> collection) {
    for (List<Object> row : rowsOf(document, position)) entries.put(row, position);
  }

  @Override
  public Object remove(Document document) {
    for (List<Object> row : rowsOf(document, document.get("_id"))) entries.remove(row);
    return null;
  }

  @Override
  public void updateInPlace(Document before, Document after, Object position, MongoCollection<Object> collection) {
    remove(before);
    add(after, position, collection);
  }

  @Override
  public void checkAdd(Document document, MongoCollection<Object> collection) {}

  @Override
  public void checkUpdate(Document before, Document after, MongoCollection<Object> collection) {}

  /** The unique index of ids tells where a document is. */
  @Override
  public Object getPosition(Document document) {
    return null;
  }

  /** IndexedCollection asks in its own way. */
  @Override
  public boolean canHandle(Document query) {
    return false;
  }

  @Override
  public Iterable<Object> getPositions(Document query) {
    throw new UnsupportedOperationException();
  }

  @Override
  public long getCount() {
    return entries.size();
  }

  @Override
  public boolean isEmpty() {
    return entries.isEmpty();
  }

  @Override
  public long getDataSize() {
    return getCount();
  }

  @Override
  public void drop() {
    entries.clear();
  }
}
