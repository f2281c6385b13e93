using System.Text.Json.Serialization;

namespace Concertina.Gateway.Wire;

/// <summary>The answer of a health path.</summary>
/// <param name="Status"><c>ok</c> or <c>unavailable</c>.</param>
/// <param name="Error">Why not; absent when all is well.</param>
internal sealed record HealthBody(
    string Status,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] ErrorBody.Detail? Error);
