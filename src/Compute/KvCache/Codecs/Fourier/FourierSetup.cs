namespace Concertina.Compute.KvCache.Codecs.Fourier;

/// <summary>What the codecs of one cache are made from: pages of a segment, and orders and channels of both sides. Immutable.</summary>
internal sealed record FourierSetup
{
    /// <summary>Pages of a segment unless something else is asked for.</summary>
    public const int DefaultPageCount = 4;

    /// <exception cref="ArgumentException">The sides differ in shape, pages do not divide a run of 16, or there are more orders than tokens.</exception>
    public FourierSetup(int pageCount, FourierChannels keys, FourierChannels values)
    {
        if (pageCount is < 1 or > 16 || 16 % pageCount != 0)
        {
            throw new ArgumentException($"A segment has 1, 2, 4, 8 or 16 pages, not {pageCount}.", nameof(pageCount));
        }
        if (keys.HeadDim != values.HeadDim || keys.HeadCount != values.HeadCount)
        {
            throw new ArgumentException(
                $"Keys have {keys.HeadCount} heads of {keys.HeadDim} channels, values {values.HeadCount} of {values.HeadDim}; both sides need the same.");
        }
        PageCount = pageCount;
        int most = Math.Max(keys.Orders, values.Orders);
        if (most > TokenCount)
        {
            throw new ArgumentException($"A segment of {TokenCount} tokens has as many orders, not {most}.", nameof(pageCount));
        }
        Keys = keys;
        Values = values;
    }

    /// <summary>Pages P of a segment.</summary>
    public int PageCount { get; }

    /// <summary>Tokens S of a segment.</summary>
    public int TokenCount => PageCount * KvShape.PageTokens;

    public FourierChannels Keys { get; }

    public FourierChannels Values { get; }

    public FourierChannels Of(KvSide side) => side == KvSide.Keys ? Keys : Values;

    /// <summary>
    /// Most of <see cref="PageResidual"/> that a segment of a head should lose, or null for no ceiling: [heads] for keys, then
    /// [heads] for values.
    /// </summary>
    public IReadOnlyList<double>? Ceilings { get; init; }
}
