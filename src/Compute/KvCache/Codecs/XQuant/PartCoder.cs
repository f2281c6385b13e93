using Concertina.Compute.Attention.Lanes;
using Concertina.Compute.KvCache.Codecs.CommVq.Books;
using Concertina.Compute.KvCache.Codecs.CommVq.Rows;

namespace Concertina.Compute.KvCache.Codecs.XQuant;

/// <summary>Rows of all KV heads of a layer to parts and back, with buffers that nobody else uses meanwhile.</summary>
internal readonly unsafe struct PartCoder<TL, TV, TBits>(XQuantTables tables, PartBuffers buffers)
    where TL : struct, ILanes<TV>
    where TV : struct
    where TBits : struct, ILatentBits
{
    private const int Slots = KvShape.PageTokens;

    /// <summary>Writes a part from rows [KV heads, slots, headDim].</summary>
    /// <returns>False where a latent is not finite.</returns>
    public bool Encode(KvSide side, ReadOnlySpan<float> rows, in PartSite site, Span<byte> part)
    {
        Project(side, rows, site);
        int slots = rows.Length / (tables.Setup.Shape.KvHeadCount * tables.Setup.Shape.HeadDim);
        var latents = new ReadOnlySpan<float>(buffers.Turned, tables.Width(side) * Slots);
        var target = new PartTarget(part, TBits.Bits, buffers.Codes);
        int rank = tables.Setup.Layers[site.Head / tables.Setup.Shape.KvHeadCount].Of(side).StoredRank;
        return side == KvSide.Keys
            ? LatentQuantiser.Keys(latents, slots, target)
            : LatentQuantiser.Values(latents, (slots, rank), target);
    }

    /// <summary>Rows [KV heads, slots, headDim] as latents, rounded to halves: keys [width, 64], values [64, width], in <see cref="PartBuffers.Turned"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A position of a key is not in the angle table.</exception>
    public void Project(KvSide side, ReadOnlySpan<float> rows, in PartSite site)
    {
        KvShape shape = tables.Setup.Shape;
        int layer = site.Head / shape.KvHeadCount;
        int rowsOfHead = rows.Length / shape.KvHeadCount;
        int width = tables.Width(side);
        bool isKeys = side == KvSide.Keys;
        var latents = new Span<float>(buffers.Latents, width * Slots);
        latents.Clear();
        for (int kvHead = 0; kvHead < shape.KvHeadCount; kvHead++)
        {
            ReadOnlyMemory<float> bias = tables.Setup.Layers[layer].Of(side).Bias;
            TakeRows(
                side,
                rows.Slice(kvHead * rowsOfHead, rowsOfHead),
                site,
                bias.IsEmpty ? default : bias.Span.Slice(kvHead * shape.HeadDim, shape.HeadDim));
            AddLatents(side, (layer * shape.KvHeadCount) + kvHead, rowsOfHead / shape.HeadDim);
        }
        // The factors of a line are those of its latents; a line of keys is one slot until it is turned.
        ReadOnlySpan<float> scales = tables.InverseSquares(side, layer);
        if (!isKeys)
        {
            Transpose(buffers.Latents, (width, Slots), buffers.Turned);
        }
        float* lines = isKeys ? buffers.Latents : buffers.Turned;
        for (int slot = 0; slot < Slots; slot++)
        {
            LatentQuantiser.Round(new Span<float>(lines + (slot * width), width), scales, buffers.Halves);
        }
        if (isKeys)
        {
            Transpose(buffers.Latents, (Slots, width), buffers.Turned);
        }
    }

    /// <summary>Writes a part from one of more bits: latents to latents.</summary>
    public void Convert(KvSide side, ReadOnlySpan<byte> source, int sourceBits, Span<byte> part)
    {
        int width = tables.Width(side);
        int count = width * Slots;
        Span<byte> codes = buffers.Codes.AsSpan(0, count);
        ReadOnlySpan<uint> words = LatentPlanes.Words(source);
        LatentPlanes.Unpack(side, sourceBits, words, codes);
        ReadOnlySpan<uint> scales = words[LatentPlanes.CodeWords(width, sourceBits)..];
        var latents = new Span<float>(buffers.Latents, count);
        for (int i = 0; i < count; i++)
        {
            int group = side == KvSide.Keys ? i / Slots : (i % width / LatentPlanes.ValueGroup * Slots) + (i / width);
            (float scale, float minimum) = LatentScale.Of(scales[group]);
            latents[i] = (codes[i] * scale) + minimum;
        }
        for (int first = 0; first < count; first += width)
        {
            LatentQuantiser.Round(latents.Slice(first, width), buffers.Ones, buffers.Halves);
        }
        var target = new PartTarget(part, TBits.Bits, buffers.Codes);
        _ = side == KvSide.Keys
            ? LatentQuantiser.Keys(latents, Slots, target)
            : LatentQuantiser.Values(latents, (Slots, width), target);
    }

    /// <summary>Reads the first slots of one head back, [slots, headDim].</summary>
    public void Decode(KvSide side, byte* part, in PartSite site, Span<float> rows)
    {
        int headDim = tables.Setup.Shape.HeadDim;
        int slots = rows.Length / headDim;
        LatentHead* head = tables.Head(side, site.Head);
        if (side == KvSide.Values)
        {
            LatentTiles<TL, TV, TBits>.Values(head, (uint*)part, slots, buffers.Latents);
            new LatentProduct
            {
                Factors = buffers.Latents,
                RowStride = head->Stride,
                Matrix = head->Matrix,
                MatrixStride = headDim,
                Inner = head->Inner,
                Columns = headDim,
                Output = buffers.Rows,
                OutputStride = headDim,
            }.Set<TL, TV>(slots);
        }
        else
        {
            LatentTiles<TL, TV, TBits>.Keys(head, (uint*)part, buffers.Latents);
            KeyTiles.Product(head, buffers.Latents, buffers.TurnedRows).Set<TL, TV>(headDim);
            fixed (ushort* offsets = site.Offsets)
            {
                int start = site.Start + (site.Page * Slots);
                KeyTurn<TL, TV>.Run(head, new SlotPositions(start, site.Offsets.IsEmpty ? null : offsets), buffers.TurnedRows);
            }
            Transpose(buffers.TurnedRows, (headDim, Slots), buffers.Rows);
        }
        new ReadOnlySpan<float>(buffers.Rows, slots * headDim).CopyTo(rows);
    }

    // Keys without rotation and bias to rows [64, headDim]; values without bias to [headDim, 64].
    private void TakeRows(KvSide side, ReadOnlySpan<float> head, in PartSite site, ReadOnlySpan<float> bias)
    {
        int headDim = tables.Setup.Shape.HeadDim;
        var rows = new Span<float>(buffers.Rows, Slots * headDim);
        rows[head.Length..].Clear();
        head.CopyTo(rows);
        for (int slot = 0; slot < head.Length / headDim; slot++)
        {
            Span<float> row = rows.Slice(slot * headDim, headDim);
            if (side == KvSide.Keys)
            {
                PairLayout.Split(row, buffers.Split);
                tables.Angles.TurnBack(site.Position(slot), buffers.Split);
                PairLayout.Join(buffers.Split, row);
            }
            for (int channel = 0; channel < bias.Length; channel++)
            {
                row[channel] -= bias[channel];
            }
        }
        if (side == KvSide.Values)
        {
            Transpose(buffers.Rows, (Slots, headDim), buffers.TurnedRows);
        }
    }

    // Adds y_h M_h^T: keys to latents [64, width], values to [width, 64].
    private void AddLatents(KvSide side, int head, int slots)
    {
        LatentHead* tablesOfHead = tables.Head(side, head);
        int headDim = tables.Setup.Shape.HeadDim;
        bool isKeys = side == KvSide.Keys;
        new LatentProduct
        {
            Factors = isKeys ? buffers.Rows : tablesOfHead->Matrix,
            RowStride = headDim,
            Matrix = isKeys ? tablesOfHead->Matrix : buffers.TurnedRows,
            MatrixStride = isKeys ? tablesOfHead->Stride : Slots,
            Inner = headDim,
            Columns = isKeys ? tablesOfHead->Width : Slots,
            Output = buffers.Latents,
            OutputStride = isKeys ? tablesOfHead->Width : Slots,
        }.Add<TL, TV>(isKeys ? slots : tablesOfHead->Width);
    }

    // target[column, row] = source[row, column]; rows and columns are multiples of 8.
    private static void Transpose(float* source, (int Rows, int Columns) size, float* target)
    {
        for (int row = 0; row < size.Rows; row += Transposition.Block)
        {
            for (int column = 0; column < size.Columns; column += Transposition.Block)
            {
                Transposition.Run(source + (row * size.Columns) + column, size.Columns, target + (column * size.Rows) + row, size.Rows);
            }
        }
    }
}
