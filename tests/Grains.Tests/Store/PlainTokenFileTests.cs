namespace Concertina.Grains.Tests.Store;

/// <summary>Token files of a server without a key.</summary>
public sealed class PlainTokenFileTests() : SessionTokenFileTests(key: null);
