namespace Concertina.Compute.Attention.Lanes;

/// <summary>
/// One vector width. Kernels are written once over it and compiled per width; a lane computes the same sequence of
/// operations whatever its neighbours, so all widths give the same bits.
/// </summary>
/// <typeparam name="TV">The vector.</typeparam>
internal unsafe interface ILanes<TV>
    where TV : struct
{
    /// <summary>Lanes: 16, 8 or 1.</summary>
    static abstract int Width { get; }

    static abstract TV Load(float* source);

    static abstract void Store(float* target, TV value);

    static abstract TV Set(float value);

    static abstract TV Add(TV left, TV right);

    static abstract TV Subtract(TV left, TV right);

    static abstract TV Multiply(TV left, TV right);

    /// <summary>left * right + addend, rounded once.</summary>
    static abstract TV Fma(TV left, TV right, TV addend);

    /// <summary>The larger; unspecified with NaN, whose weight makes the row NaN anyway.</summary>
    static abstract TV Max(TV left, TV right);

    static abstract TV Exp(TV value);

    /// <summary>The largest lane.</summary>
    static abstract float Largest(TV value);

    /// <summary>Sum of 16 floats by halves: lanes i and i + 8, then i and i + 4, i + 2, i + 1.</summary>
    static abstract float SumByHalves(float* lanes);

    /// <summary>Keeps lanes whose index, counted from <paramref name="firstLane"/>, is below a count.</summary>
    static abstract TV KeepBelow(TV value, int firstLane, int count, float otherwise);

    /// <summary>Two halves per word, as floats.</summary>
    static abstract void LoadHalves(uint* words, out TV low, out TV high);

    /// <summary>Two finite halves per word, as floats times 2^-112.</summary>
    static abstract void LoadHalvesScaledDown(uint* words, out TV low, out TV high);

    /// <summary>(words >> shift) &amp; mask. Here and below a vector may hold 32-bit words or integers as their bits.</summary>
    static abstract TV Field(TV words, int shift, uint mask);

    /// <summary>sum + low * low + high * high: words of two signed 16-bit numbers, sums of 32 bits, exact.</summary>
    static abstract TV MultiplyAddPairs(TV sum, TV left, TV right);

    /// <summary>Words of two 16-bit numbers, from integers of that range.</summary>
    static abstract TV ToPairs(TV low, TV high);

    /// <summary>Integers as floats, to nearest.</summary>
    static abstract TV ToFloats(TV integers);

    /// <summary>Floats as integers, to nearest, ties to even; unspecified beyond 31 bits and with NaN.</summary>
    static abstract TV ToIntegers(TV value);
}
