namespace Concertina.Compute.Engine.Sampling;

/// <summary>A binary heap over a span whose root is the largest key.</summary>
internal static class KeyHeap
{
    public static void SiftDown(Span<ulong> heap, int index)
    {
        ulong key = heap[index];
        for (int child = (2 * index) + 1; child < heap.Length; child = (2 * index) + 1)
        {
            if (child + 1 < heap.Length && heap[child + 1] > heap[child])
            {
                child++;
            }
            if (heap[child] <= key)
            {
                break;
            }
            heap[index] = heap[child];
            index = child;
        }
        heap[index] = key;
    }
}
