using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Concertina.Gateway.Wire.Admin;

namespace Concertina.Gateway.Wire;

/// <summary>Every JSON shape of the API; snake_case, members that must be null are written.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ChatRequest))]
[JsonSerializable(typeof(ChatCompletion))]
[JsonSerializable(typeof(ChatChunk))]
[JsonSerializable(typeof(ErrorBody))]
[JsonSerializable(typeof(ModelObject))]
[JsonSerializable(typeof(ModelList))]
[JsonSerializable(typeof(LadderList))]
[JsonSerializable(typeof(HealthBody))]
[JsonSerializable(typeof(UsageReport))]
[JsonSerializable(typeof(KvReport))]
[JsonSerializable(typeof(BudgetRequest))]
[JsonSerializable(typeof(BudgetList))]
[JsonSerializable(typeof(TenantPut))]
[JsonSerializable(typeof(TenantView))]
[JsonSerializable(typeof(double))]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(SessionList))]
[JsonSerializable(typeof(OwnSessions))]
[JsonSerializable(typeof(ConsoleMoment))]
[JsonSerializable(typeof(SessionObject))]
[JsonSerializable(typeof(SessionDeleted))]
internal sealed partial class GatewayJson : JsonSerializerContext
{
    /// <summary>
    /// The shapes as they go on the wire: letters stay letters. Escaping for HTML is of no use in JSON that no page
    /// embeds, and makes text in most languages three times longer.
    /// </summary>
    public static GatewayJson Wire { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
