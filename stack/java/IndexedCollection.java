import de.bwaldvogel.mongo.MongoDatabase;
import de.bwaldvogel.mongo.backend.CollectionOptions;
import de.bwaldvogel.mongo.backend.CursorRegistry;
import de.bwaldvogel.mongo.backend.Index;
import de.bwaldvogel.mongo.backend.IndexKey;
import de.bwaldvogel.mongo.backend.QueryResult;
import de.bwaldvogel.mongo.backend.h2.H2Collection;
import de.bwaldvogel.mongo.bson.Document;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.h2.mvstore.MVMap;

/**
 * Finds documents by their id or a secondary index where a condition allows, as a MongoDB does; the collection that it extends
 * knows indexes only for a query of nothing but their keys, and else reads every document. What an index finds is matched
 * against the whole query as before: an index changes how many documents are looked at, never which are found.
 */
final class IndexedCollection extends H2Collection {

  IndexedCollection(
      MongoDatabase database,
      String name,
      CollectionOptions options,
      MVMap<Object, Document> data,
      MVMap<String, Object> meta,
      CursorRegistry cursors) {
    super(database, name, options, data, meta, cursors);
  }

  /** Part of an index that a query can be answered from. */
  private record Plan(SecondaryIndex index, List<Object> first, SecondaryIndex.Range next, boolean isSorted) {
    int weight() {
      return 4 * first.size() + (next == null ? 0 : 2) + (isSorted ? 1 : 0);
    }
  }

  @Override
  protected QueryResult queryDocuments(Document query, Document sort, int skip, int limit, int batch, Document fields) {
    Map<String, Object> conditions = new LinkedHashMap<>();
    collect(query, conditions);
    // Of numbers two may be equal and not the same key.
    if (valueOf(conditions.get("_id")) instanceof String id && "_id".equals(getIdField())) {
      return found(query, Stream.of(id), sort, skip, limit, batch, fields);
    }
    Optional<Plan> best = secondaryIndexes()
        .map(index -> planOf(index, conditions, sort))
        .filter(plan -> plan.weight() > 0)
        .max(Comparator.comparingInt(Plan::weight));
    if (best.isEmpty()) return super.queryDocuments(query, sort, skip, limit, batch, fields);
    Plan plan = best.get();
    // An array may have put its document there more than once.
    Stream<Object> ids = plan.index().idsOf(plan.first(), plan.next()).distinct();
    return found(query, ids, plan.isSorted() ? null : sort, skip, limit, batch, fields);
  }

  private QueryResult found(
      Document query, Stream<Object> ids, Document sort, int skip, int limit, int batch, Document fields) {
    Stream<Document> documents = ids.map(this::getDocument).filter(document -> document != null);
    return matchDocumentsFromStream(documents, query, sort, skip, limit, batch, fields);
  }

  private Stream<SecondaryIndex> secondaryIndexes() {
    List<Index<Object>> all = getIndexes();
    return all.stream().filter(SecondaryIndex.class::isInstance).map(SecondaryIndex.class::cast);
  }

  /** Of every condition that must hold, by path; the first where a path has two. */
  private static void collect(Document query, Map<String, Object> conditions) {
    query.forEach((path, condition) -> {
      if (path.equals("$and")) for (Object part : (Iterable<?>) condition) collect((Document) part, conditions);
      else if (!path.startsWith("$")) conditions.putIfAbsent(path, condition);
    });
  }

  private static boolean isOperators(Object condition) {
    return condition instanceof Document document && document.keySet().stream().anyMatch(key -> key.startsWith("$"));
  }

  /** Whether a condition asks for one plain value. Null is none: what is absent is not in every index. */
  private static boolean isValue(Object condition) {
    Object value = valueOf(condition);
    return value instanceof String || value instanceof Number || value instanceof Boolean;
  }

  private static Object valueOf(Object condition) {
    return isOperators(condition) ? ((Document) condition).get("$eq") : condition;
  }

  /** Whatever is smaller is of another type, and nothing that a range asks for. */
  private static final Map<Boolean, Object> SMALLEST = Map.of(true, Double.NEGATIVE_INFINITY, false, "");

  /** @return null where the condition is no range of numbers or strings. */
  private static SecondaryIndex.Range rangeOf(Object condition) {
    if (!isOperators(condition)) return null;
    Document range = (Document) condition;
    Object from = range.getOrDefault("$gt", range.get("$gte"));
    Object to = range.getOrDefault("$lt", range.get("$lte"));
    Object known = from == null ? to : from;
    if (!(known instanceof Number || known instanceof String)) return null;
    return new SecondaryIndex.Range(from == null ? SMALLEST.get(known instanceof Number) : from, to);
  }

  private static Plan planOf(SecondaryIndex index, Map<String, Object> conditions, Document sort) {
    List<IndexKey> keys = index.getKeys();
    List<Object> first = new ArrayList<>();
    for (IndexKey key : keys) {
      Object condition = conditions.get(key.getKey());
      if (!isValue(condition)) break;
      first.add(valueOf(condition));
    }
    List<IndexKey> rest = keys.subList(first.size(), keys.size());
    boolean isAscending = !rest.isEmpty() && rest.get(0).isAscending();
    SecondaryIndex.Range next = isAscending ? rangeOf(conditions.get(rest.get(0).getKey())) : null;
    return new Plan(index, first, next, isOrderOf(rest, sort));
  }

  private static boolean isOrderOf(List<IndexKey> keys, Document sort) {
    if (sort == null || sort.isEmpty() || sort.size() > keys.size()) return false;
    int at = 0;
    for (Map.Entry<String, Object> entry : sort.entrySet()) {
      IndexKey key = keys.get(at++);
      boolean isAscending = ((Number) entry.getValue()).intValue() == 1;
      if (!key.getKey().equals(entry.getKey()) || key.isAscending() != isAscending) return false;
    }
    return true;
  }
}
