using Concertina.Compute.KvCache.Codecs;

namespace Concertina.Compute.KvCache;

/// <summary>
/// The write hook: what one layer offers for neighbouring rows of one sequence. A codec or policy declares what it needs;
/// spans nobody needs may be empty. Row-major, [rows, ...], memory owned by the runner until the call returns.
/// </summary>
public readonly ref struct KvRows
{
    /// <summary>What the model runner offers beyond keys, values and positions.</summary>
    internal const HookNeeds Offered = HookNeeds.None;

    /// <summary>Position of the first row in its sequence.</summary>
    public required int FirstPosition { get; init; }

    /// <summary>Number of rows.</summary>
    public required int RowCount { get; init; }

    /// <summary>Keys after RoPE, [rows, kvHeads * headDim].</summary>
    public required ReadOnlySpan<float> Keys { get; init; }

    /// <summary>Values, [rows, kvHeads * headDim].</summary>
    public required ReadOnlySpan<float> Values { get; init; }

    /// <summary>Queries after RoPE, not scaled, [rows, queryHeads * headDim]; empty where the runner has none to offer.</summary>
    public ReadOnlySpan<float> Queries { get; init; }

    /// <summary>Keys before RoPE, [rows, kvHeads * headDim]; empty unless declared as needed.</summary>
    public ReadOnlySpan<float> KeysBeforeRope { get; init; }

    /// <summary>Queries before RoPE, [rows, queryHeads * headDim]; empty unless declared as needed.</summary>
    public ReadOnlySpan<float> QueriesBeforeRope { get; init; }

    /// <summary>
    /// Decision logits of a retrofitted model, [rows, kvHeads], binary32; empty for other models. Row i decides about the token
    /// <b>before</b> it, at position FirstPosition + i - 1, which is marked where the logit is above 0; at position 0 there is no such
    /// token, and the logit says nothing.
    /// </summary>
    public ReadOnlySpan<float> Decisions { get; init; }

    /// <summary>Input of the layer's attention after its norm, [rows, embedding]; empty unless declared as needed.</summary>
    public ReadOnlySpan<float> LayerInput { get; init; }
}
