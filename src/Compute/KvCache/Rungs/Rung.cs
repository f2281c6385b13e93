namespace Concertina.Compute.KvCache.Rungs;

/// <summary>One operating point of the cache: how keys and values are stored, and how many slots are kept.</summary>
/// <param name="Name">Stable name, part of the API.</param>
/// <param name="KeyCodec">Name of the key codec.</param>
/// <param name="ValueCodec">Name of the value codec.</param>
/// <param name="KeepOneIn">One in this many slots is kept outside the exact parts; 1: all.</param>
/// <param name="Decided">
/// True: the model decides which slots go (DMS), those it marks and, where these are too few, those it comes nearest to marking. False:
/// the attention of the last queries decides (KV-Compress).
/// </param>
public sealed record Rung(string Name, string KeyCodec, string ValueCodec, int KeepOneIn, bool Decided = false);
