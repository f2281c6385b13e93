using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Concertina.Compute.Attention.Lanes;

namespace Concertina.Compute.KvCache.Codecs.RowQuant;

/// <summary>
/// Floats as pairs of signed 16-bit numbers: the largest magnitude becomes 32767, so an element is off by at most 2^-16 of
/// it. That is finer than what attention loses to 8-bit codes by two orders of magnitude.
/// </summary>
internal unsafe struct PairFactors
{
    private const float Largest = 32767f;

    // Below this the reciprocal may overflow, and nothing is lost that a float sum would keep.
    private const float Negligible = 1e-30f;

    private const int SumLanes = 16;

    /// <summary>Elements: a multiple of 16.</summary>
    public int Count;

    /// <summary>Elements that count; the others are taken as zero whatever they are.</summary>
    public int Kept;

    /// <summary>[Count] first factor: weights, or a query.</summary>
    public float* Values;

    /// <summary>[Count] second factor.</summary>
    public float* Scales;

    /// <summary>[Count] what belongs to the code 0.</summary>
    public float* Minimums;

    /// <summary>[Count] and room for one vector more; overwritten.</summary>
    public float* Products;

    /// <summary>pairs[i] = values * scales of elements i and i + Count / 2 in units.</summary>
    /// <param name="pairs">Written: Count / 2 and up to one vector more.</param>
    /// <param name="unit">What a 1 stands for.</param>
    /// <returns>Sum of values * minimums, in 16 lanes: the same order for every vector width.</returns>
    public readonly float Make<TL, TV>(uint* pairs, out float unit)
        where TL : struct, ILanes<TV>
        where TV : struct
    {
        float* sums = stackalloc float[SumLanes];
        TV zero = TL.Set(0f);
        TV largest = zero;
        for (int lane = 0; lane < SumLanes; lane += TL.Width)
        {
            TV sum = zero;
            for (int i = lane; i < Count; i += SumLanes)
            {
                TV value = TL.Load(Values + i);
                TV product = TL.KeepBelow(TL.Multiply(value, TL.Load(Scales + i)), i, Kept, 0f);
                sum = TL.Add(sum, TL.KeepBelow(TL.Multiply(value, TL.Load(Minimums + i)), i, Kept, 0f));
                largest = TL.Max(largest, TL.Max(product, TL.Subtract(zero, product)));
                TL.Store(Products + i, product);
            }
            TL.Store(sums + lane, sum);
        }
        float magnitude = TL.Largest(largest);
        unit = magnitude / Largest;
        TV inverse = TL.Set(magnitude < Negligible ? 0f : Largest / magnitude);
        for (int i = 0; i < Count / 2; i += TL.Width)
        {
            TV low = TL.ToIntegers(TL.Multiply(TL.Load(Products + i), inverse));
            TV high = TL.ToIntegers(TL.Multiply(TL.Load(Products + (Count / 2) + i), inverse));
            TL.Store((float*)(pairs + i), TL.ToPairs(low, high));
        }
        return TL.SumByHalves(sums);
    }

    /// <summary>A query as pairs of channels i and i + half.</summary>
    /// <returns>What a 1 stands for and the sum of what the pairs stand for; NaN when the query is not finite.</returns>
    public static (float Unit, float Sum) OfQuery(ReadOnlySpan<float> query, Span<uint> pairs)
    {
        int half = query.Length / 2;
        ref float q = ref MemoryMarshal.GetReference(query);
        ref uint target = ref MemoryMarshal.GetReference(pairs[..half]);
        Vector256<float> largest = Vector256<float>.Zero;
        Vector256<float> probe = Vector256<float>.Zero;
        for (int i = 0; i < query.Length; i += Vector256<float>.Count)
        {
            Vector256<float> x = Vector256.LoadUnsafe(ref q, (nuint)i);
            largest = Vector256.MaxNative(largest, Vector256.Abs(x));
            probe += x * Vector256<float>.Zero;
        }
        float magnitude = Lanes8.Largest(largest);
        // 0, or NaN when an element is not finite.
        float special = Vector256.Sum(probe);
        Vector256<float> inverse = Vector256.Create(magnitude < Negligible ? 0f : Largest / magnitude);
        Vector256<int> sum = Vector256<int>.Zero;
        for (int i = 0; i < half; i += Vector256<float>.Count)
        {
            Vector256<int> low = Integers(Vector256.LoadUnsafe(ref q, (nuint)i) * inverse);
            Vector256<int> high = Integers(Vector256.LoadUnsafe(ref q, (nuint)(half + i)) * inverse);
            sum += low + high;
            ((low.AsUInt32() & Vector256.Create(0xFFFFu)) | (high.AsUInt32() << 16)).StoreUnsafe(ref target, (nuint)i);
        }
        float unit = (magnitude / Largest) + special;
        return (unit, unit * Vector256.Sum(sum));
    }

    private static Vector256<int> Integers(Vector256<float> values) => Vector256.ConvertToInt32Native(Vector256.Round(values));
}
