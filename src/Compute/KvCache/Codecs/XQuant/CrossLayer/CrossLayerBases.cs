using Concertina.Compute.KvCache.Codecs.CommVq.Books;

namespace Concertina.Compute.KvCache.Codecs.XQuant.CrossLayer;

/// <summary>Ukv of every layer, the left basis of [Wk | Wv], both ways round for the kernels. Immutable.</summary>
internal sealed unsafe class CrossLayerBases
{
    private readonly PinnedTable _down;
    private readonly PinnedTable _up;

    /// <param name="plan">A plan with latents.</param>
    /// <param name="bases">Per layer Ukv, [Hidden, Latents], row-major, with orthonormal columns.</param>
    /// <exception cref="ArgumentException">Their number or size is not the plan's, or columns are not orthonormal.</exception>
    public CrossLayerBases(CrossLayerPlan plan, IReadOnlyList<ReadOnlyMemory<float>> bases)
    {
        plan.Validate();
        int size = plan.Hidden * plan.Latents;
        if (!plan.HasLatents || bases.Count != plan.LayerCount || bases.Any(basis => basis.Length != size))
        {
            throw new ArgumentException($"{plan} needs {plan.LayerCount} bases of {size} numbers; there are {bases.Count}.", nameof(bases));
        }
        Plan = plan;
        _down = new PinnedTable((long)plan.LayerCount * size);
        _up = new PinnedTable((long)plan.LayerCount * size);
        for (int layer = 0; layer < bases.Count; layer++)
        {
            ReadOnlySpan<float> basis = bases[layer].Span;
            RequireOrthonormal(basis, layer);
            basis.CopyTo(_down.Slice((long)layer * size, size));
            Span<float> up = _up.Slice((long)layer * size, size);
            for (int i = 0; i < size; i++)
            {
                up[(i % plan.Latents * plan.Hidden) + (i / plan.Latents)] = basis[i];
            }
        }
    }

    public CrossLayerPlan Plan { get; }

    /// <summary>Bytes of the tables.</summary>
    public long Bytes => (_down.Count + _up.Count) * sizeof(float);

    /// <summary>Ukv, [Hidden, Latents].</summary>
    public BasisMatrix Down(int layer) => new(_down.Pointer + ((long)layer * Plan.Hidden * Plan.Latents), Plan.Hidden, Plan.Latents);

    /// <summary>Ukv^T, [Latents, Hidden].</summary>
    public BasisMatrix Up(int layer) => new(_up.Pointer + ((long)layer * Plan.Hidden * Plan.Latents), Plan.Latents, Plan.Hidden);

    // The loop closes only as far as Ukv^T Ukv = I.
    private void RequireOrthonormal(ReadOnlySpan<float> basis, int layer)
    {
        const double Tolerance = 1e-4;
        for (int column = 0; column < Plan.Latents; column++)
        {
            int next = (column + 1) % Plan.Latents;
            double length = 0;
            double product = 0;
            for (int row = 0; row < Plan.Hidden; row++)
            {
                double entry = basis[(row * Plan.Latents) + column];
                length += entry * entry;
                product += entry * basis[(row * Plan.Latents) + next];
            }
            if (!(Math.Abs(length - 1) <= Tolerance) || (next != column && !(Math.Abs(product) <= Tolerance)))
            {
                throw new ArgumentException($"Column {column} of the basis of layer {layer} has squared length {length:G6} and product {product:G3} with the next; orthonormal columns are needed.");
            }
        }
    }
}
