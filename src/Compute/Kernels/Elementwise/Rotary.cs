using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Concertina.Compute.Kernels.Elementwise;

/// <summary>
/// Rotary position embedding over interleaved pairs (x[2i], x[2i+1]), as GGUF's llama weights expect it. Angles are
/// computed in binary64 once per step and row; the rotation is binary32: one product, one fused multiply-add.
/// Source: Su et al., RoFormer, https://arxiv.org/abs/2104.09864.
/// </summary>
internal sealed class Rotary
{
    private readonly double[] _frequencies;
    private readonly float[] _cosines;
    private readonly float[] _sines;

    /// <summary>Prepares the frequencies base^(-2i/ropeDim) / linearFactor / divisor[i].</summary>
    /// <param name="ropeDim">Channels of a head that are rotated; even.</param>
    /// <param name="ropeBase">Base (theta).</param>
    /// <param name="linearFactor">Factor by which positions are stretched.</param>
    /// <param name="divisors">One per pair, or empty.</param>
    /// <param name="maxRows">Most rows of a step.</param>
    public Rotary(int ropeDim, float ropeBase, float linearFactor, ReadOnlySpan<float> divisors, int maxRows)
    {
        RopeDim = ropeDim;
        _frequencies = Frequencies(ropeDim, ropeBase, linearFactor, divisors);
        _cosines = new float[maxRows * ropeDim];
        _sines = new float[maxRows * ropeDim];
    }

    /// <summary>Radians per position of each pair.</summary>
    /// <param name="ropeDim">Channels of a head that are rotated; even.</param>
    /// <param name="ropeBase">Base (theta).</param>
    /// <param name="linearFactor">Factor by which positions are stretched.</param>
    /// <param name="divisors">One per pair, or empty.</param>
    public static double[] Frequencies(int ropeDim, float ropeBase, float linearFactor, ReadOnlySpan<float> divisors)
    {
        double[] frequencies = new double[ropeDim / 2];
        for (int i = 0; i < frequencies.Length; i++)
        {
            double divisor = divisors.IsEmpty ? 1 : divisors[i];
            frequencies[i] = Math.Pow(ropeBase, -2.0 * i / ropeDim) / linearFactor / divisor;
        }
        return frequencies;
    }

    /// <summary>Channels of a head that are rotated.</summary>
    public int RopeDim { get; }

    /// <summary>Bytes of the tables.</summary>
    public long ByteCount => (_cosines.Length + _sines.Length) * (long)sizeof(float);

    /// <summary>Bytes of the tables for each row of a step.</summary>
    public static long BytesPerRow(int ropeDim) => 2L * ropeDim * sizeof(float);

    /// <summary>Fills the table of one row of the step: (c0, c0, c1, c1, ...) and (-s0, s0, -s1, s1, ...).</summary>
    public void SetPosition(int row, int position)
    {
        Span<float> cosines = _cosines.AsSpan(row * RopeDim, RopeDim);
        Span<float> sines = _sines.AsSpan(row * RopeDim, RopeDim);
        for (int i = 0; i < _frequencies.Length; i++)
        {
            (double sine, double cosine) = Math.SinCos(position * _frequencies[i]);
            cosines[2 * i] = cosines[(2 * i) + 1] = (float)cosine;
            sines[2 * i] = -(float)sine;
            sines[(2 * i) + 1] = (float)sine;
        }
    }

    /// <summary>Rotates neighbouring channels of one row in place; they may span heads, and begin and end inside one.</summary>
    /// <param name="row">Row of the step.</param>
    /// <param name="channels">The channels, an even number.</param>
    /// <param name="firstChannel">Index of the first one in its head, even.</param>
    /// <param name="headDim">Channels of a head, at least <see cref="RopeDim"/>.</param>
    public void Rotate(int row, Span<float> channels, int firstChannel, int headDim)
    {
        ReadOnlySpan<float> cosines = _cosines.AsSpan(row * RopeDim, RopeDim);
        ReadOnlySpan<float> sines = _sines.AsSpan(row * RopeDim, RopeDim);
        int channel = firstChannel;
        while (!channels.IsEmpty)
        {
            int ofHead = Math.Min(headDim - channel, channels.Length);
            int rotated = Math.Clamp(RopeDim - channel, 0, ofHead);
            if (rotated > 0)
            {
                Span<float> part = channels[..rotated];
                ReadOnlySpan<float> c = cosines.Slice(channel, rotated);
                ReadOnlySpan<float> s = sines.Slice(channel, rotated);
                int done = Vector256.IsHardwareAccelerated ? Rotate256(part, c, s) : 0;
                RotateScalar(part[done..], c[done..], s[done..]);
            }
            channels = channels[ofHead..];
            channel = 0;
        }
    }

    internal static void RotateScalar(Span<float> head, ReadOnlySpan<float> cosines, ReadOnlySpan<float> sines)
    {
        for (int i = 0; i < head.Length; i += 2)
        {
            float even = head[i];
            float odd = head[i + 1];
            head[i] = MathF.FusedMultiplyAdd(even, cosines[i], odd * sines[i]);
            head[i + 1] = MathF.FusedMultiplyAdd(odd, cosines[i + 1], even * sines[i + 1]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int Rotate256(Span<float> head, ReadOnlySpan<float> cosines, ReadOnlySpan<float> sines)
    {
        const byte SwapNeighbours = 0b10_11_00_01;
        ref float x = ref MemoryMarshal.GetReference(head);
        ref float c = ref MemoryMarshal.GetReference(cosines);
        ref float s = ref MemoryMarshal.GetReference(sines);
        int i = 0;
        // The three spans have one length; accesses start at i with i + 8 <= that length.
        for (; i + 8 <= head.Length; i += 8)
        {
            Vector256<float> pair = Vector256.LoadUnsafe(ref x, (nuint)i);
            Vector256<float> cross = Avx.Permute(pair, SwapNeighbours) * Vector256.LoadUnsafe(ref s, (nuint)i);
            Vector256.FusedMultiplyAdd(pair, Vector256.LoadUnsafe(ref c, (nuint)i), cross).StoreUnsafe(ref x, (nuint)i);
        }
        return i;
    }
}
