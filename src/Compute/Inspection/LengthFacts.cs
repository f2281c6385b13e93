namespace Concertina.Compute.Inspection;

/// <summary>What a sequence of one length takes on a rung.</summary>
/// <param name="Tokens">Length.</param>
/// <param name="BytesPerToken">Physical bytes per token, exact parts and page lists included.</param>
/// <param name="Ratio">Bytes of the lossless rung divided by those of this one.</param>
/// <param name="SessionsPerGib">Such sequences that a cache of 1 GiB can promise to hold, its tables and reserve taken off.</param>
public sealed record LengthFacts(int Tokens, double BytesPerToken, double Ratio, double SessionsPerGib);
