using System.Text.Json.Serialization;

namespace Concertina.Compute.Profile;

/// <summary>JSON forms inside the metadata of a profile.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(RungMeasure[]))]
[JsonSerializable(typeof(CalibrationFacts))]
internal sealed partial class ProfileJson : JsonSerializerContext;
