using Orleans.Runtime;

namespace Orleans;

/// <summary>Marks a grain interface. Its methods return Task, ValueTask, their generic forms, or IAsyncEnumerable.</summary>
public interface IGrain : IAddressable;
