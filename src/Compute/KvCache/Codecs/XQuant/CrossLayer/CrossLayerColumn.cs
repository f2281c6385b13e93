namespace Concertina.Compute.KvCache.Codecs.XQuant.CrossLayer;

/// <summary>
/// A whole column of XQuant-CL: the parts of all layers of some tokens, bottom to top, which stand or fall together. Closed loop:
/// the encoder keeps the reader's accumulator, bit by bit.
/// </summary>
/// <param name="plan">What it holds.</param>
/// <param name="bases">Ukv of every layer for GQA; null for MHA.</param>
internal sealed class CrossLayerColumn(CrossLayerPlan plan, CrossLayerBases? bases)
{
    private readonly CrossLayerLoop _loop = Checked(plan, bases);

    public CrossLayerPlan Plan => plan;

    /// <summary>Writes a column.</summary>
    /// <param name="inputs">Per layer X, the normalised input of its attention, [tokens, Hidden].</param>
    /// <param name="column">Receives <see cref="CrossLayerPlan.Bytes"/> bytes.</param>
    /// <returns>False where something is not finite.</returns>
    /// <exception cref="ArgumentException">A layer is missing, or layers differ in tokens.</exception>
    public bool Encode(IReadOnlyList<ReadOnlyMemory<float>> inputs, Span<byte> column)
    {
        if (inputs.Count != plan.LayerCount || inputs.Any(input => input.Length != inputs[0].Length) || inputs[0].Length % plan.Hidden != 0)
        {
            throw new ArgumentException(
                $"{plan} takes the inputs of {plan.LayerCount} layers, rows of {plan.Hidden} of equally many tokens; there are {inputs.Count} layers.", nameof(inputs));
        }
        int tokens = inputs[0].Length / plan.Hidden;
        float[] accumulator = new float[tokens * plan.Hidden];
        float[] rows = new float[accumulator.Length];
        bool finite = true;
        for (int layer = 0; layer < plan.LayerCount; layer++)
        {
            TokenRows form = plan.Rows(layer);
            Span<float> source = rows.AsSpan(0, tokens * form.Width);
            Span<byte> part = column.Slice(plan.Offset(layer, tokens), form.Bytes(tokens));
            _loop.Source(layer, inputs[layer].Span, accumulator, source);
            finite &= form.Encode(source, part);
            Advance(layer, part, accumulator);
        }
        return finite;
    }

    /// <summary>Moves the accumulator from the layer below to a layer: what K = A Wk and V = A Wv are computed from.</summary>
    /// <param name="layer">Layer, ascending from 0 or from the base layer.</param>
    /// <param name="part">The layer's part of the column.</param>
    /// <param name="accumulator">A, [tokens, Hidden].</param>
    public void Advance(int layer, ReadOnlySpan<byte> part, Span<float> accumulator)
    {
        TokenRows form = plan.Rows(layer);
        float[] decoded = new float[accumulator.Length / plan.Hidden * form.Width];
        form.Decode(part, decoded);
        _loop.Advance(layer, decoded, accumulator);
    }

    private static CrossLayerLoop Checked(CrossLayerPlan plan, CrossLayerBases? bases)
    {
        plan.Validate();
        return plan.HasLatents == (bases is not null) && (bases is null || bases.Plan == plan)
            ? new CrossLayerLoop(plan, bases)
            : throw new ArgumentException($"{plan} {(plan.HasLatents ? "needs bases made for it" : "takes no bases")}.", nameof(bases));
    }
}
