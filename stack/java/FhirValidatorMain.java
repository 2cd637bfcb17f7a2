import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.validation.FhirValidator;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Executors;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.PrePopulatedValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.SnapshotGeneratingValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.UnknownCodeSystemWarningValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;
import org.hl7.fhir.r4.model.CodeSystem;

/**
 * HAPI's FHIR R4 instance validator over HTTP: POST a resource, get an OperationOutcome. It knows the base specification and its
 * code systems, and asks no terminology server: codes of LOINC, SNOMED and DICOM give a warning. Arguments: address, port.
 */
public final class FhirValidatorMain {

  private static final String OBSERVATION_VALUES = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue";

  private final FhirContext fhir = FhirContext.forR4();
  private final FhirValidator validator = fhir.newValidator();

  private FhirValidatorMain() {
    DefaultProfileValidationSupport base = new DefaultProfileValidationSupport(fhir);
    ValidationSupportChain chain =
        new ValidationSupportChain(
            withLaterCodes(base),
            base,
            new InMemoryTerminologyServerValidationSupport(fhir),
            new CommonCodeSystemsTerminologyService(fhir),
            new SnapshotGeneratingValidationSupport(fhir),
            new UnknownCodeSystemWarningValidationSupport(fhir));
    FhirInstanceValidator instances = new FhirInstanceValidator(chain);
    instances.setAnyExtensionsAllowed(true);
    instances.setErrorForUnknownProfiles(false);
    validator.registerValidatorModule(instances);
  }

  /** HL7 added this code to the system after R4, whose definitions are the ones that the validator holds. */
  private IValidationSupport withLaterCodes(IValidationSupport base) {
    CodeSystem values = ((CodeSystem) base.fetchCodeSystem(OBSERVATION_VALUES)).copy();
    values.addConcept().setCode("AIAST").setDisplay("Artificial Intelligence asserted");
    PrePopulatedValidationSupport later = new PrePopulatedValidationSupport(fhir);
    later.addCodeSystem(values);
    return later;
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      String resource = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
      String outcome =
          fhir.newJsonParser().encodeResourceToString(validator.validateWithResult(resource).toOperationOutcome());
      byte[] body = outcome.getBytes(StandardCharsets.UTF_8);
      exchange.getResponseHeaders().set("Content-Type", "application/fhir+json");
      exchange.sendResponseHeaders(200, body.length);
      exchange.getResponseBody().write(body);
    } catch (RuntimeException thrown) {
      thrown.printStackTrace();
    }
  }

  public static void main(String[] arguments) throws IOException {
    FhirValidatorMain main = new FhirValidatorMain();
    InetSocketAddress address = new InetSocketAddress(arguments[0], Integer.parseInt(arguments[1]));
    HttpServer server = HttpServer.create(address, 0);
    server.createContext("/", main::answer);
    server.setExecutor(Executors.newFixedThreadPool(2));
    server.start();
  }
}
