using System.Text.Json.Serialization;
using Concertina.Contracts.Sessions;

namespace Concertina.Gateway.Wire;

/// <summary>The KV cache a request ran on: facts of its end, nothing estimated.</summary>
/// <param name="Rung">Deepest rung any unit was on.</param>
/// <param name="Bytes">Physical bytes the sequence held at its end.</param>
/// <param name="Exact">True while every column it attended to was exact.</param>
/// <param name="Waits">Steps it waited in place for memory.</param>
internal sealed record KvUsage(string Rung, long Bytes, bool Exact, int Waits)
{
    /// <summary>Bits per stored value; absent for rungs without one number.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Bits { get; init; }

    /// <summary>Values stored in the place of one lossless value; absent where <see cref="Bits"/> is.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Ratio { get; init; }

    /// <summary>True when a unit was on a rung below lossless.</summary>
    public bool Lossy { get; init; }

    public static KvUsage Of(FinishFacts facts)
    {
        int? bits = facts.Rung switch { "f16" => 16, "f32" => 32, "int8" => 8, "int4" => 4, "int2" => 2, _ => null };
        return new KvUsage(facts.Rung, facts.KvBytes, facts.Exact, facts.Waits)
        {
            Bits = bits,
            Ratio = bits is { } b ? 16.0 / b : null,
            Lossy = facts.Rung is not ("f16" or "f32"),
        };
    }
}
